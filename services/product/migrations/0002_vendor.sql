-- Who sells the product in a mall; empty for the shop itself.
ALTER TABLE product ADD COLUMN vendor_id text NOT NULL DEFAULT '';
