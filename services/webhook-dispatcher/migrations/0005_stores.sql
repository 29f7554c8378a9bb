-- Whose events a subscription gets; none: those of all stores, and those that belong to no store.
ALTER TABLE webhook_subscription ADD COLUMN store_codes text[] NOT NULL DEFAULT '{}' CHECK (cardinality(store_codes) <= 20);
-- The event's; empty for one that belongs to no store, and for deliveries from before there were stores.
ALTER TABLE webhook_delivery ADD COLUMN store_code text NOT NULL DEFAULT '';
