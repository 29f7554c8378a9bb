-- IS NOT NULL keeps them from being taken for look-ups by tenant and delivery: planned on an empty table, those read all entries of the tenant.
DROP INDEX webhook_delivery_log;
DROP INDEX webhook_delivery_log_of_subscription;
CREATE INDEX webhook_delivery_log ON webhook_delivery (tenant_id, created_at, delivery_id) WHERE created_at IS NOT NULL;
CREATE INDEX webhook_delivery_log_of_subscription ON webhook_delivery (tenant_id, subscription_id, created_at, delivery_id) WHERE created_at IS NOT NULL;
