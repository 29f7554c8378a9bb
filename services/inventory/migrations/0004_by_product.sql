-- For reads of all SKUs of a product. IS NOT NULL keeps it from being taken for queries that are by SKU.
CREATE INDEX inventory_stock_by_product ON inventory_stock (tenant_id, product_id) WHERE product_id IS NOT NULL;
