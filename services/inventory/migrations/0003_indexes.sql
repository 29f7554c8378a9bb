-- IS NOT NULL keeps it from being taken for queries that are not by SKU.
DROP INDEX inventory_adjustment_by_sku;
CREATE INDEX inventory_adjustment_by_sku ON inventory_adjustment (tenant_id, sku, created_at) WHERE sku IS NOT NULL;
