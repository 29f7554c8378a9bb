-- Where the order was placed. Orders from before there were stores, and those that a version before this one stores, are of the default one.
-- No index: a list is of one customer, whose orders are few.
ALTER TABLE orders ADD COLUMN store_code text NOT NULL DEFAULT 'default';
