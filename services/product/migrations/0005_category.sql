-- Categories, and what products say of themselves beside their texts. No table is rewritten: the new column has a constant default.

-- A tree: its depth, and that it has no circle, are checked under a lock of the tenant's (store/change_category.cc).
CREATE TABLE category (
  tenant_id  text   NOT NULL,
  code       text   NOT NULL,
  -- Absent at the top.
  parent     text,
  name       text   NOT NULL,
  -- Among those of its parent, the lowest first.
  position   int    NOT NULL CHECK (position >= 0),
  version    bigint NOT NULL DEFAULT 1 CHECK (version > 0),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, code),
  CONSTRAINT category_is_not_in_itself CHECK (parent <> code),
  FOREIGN KEY (tenant_id, parent) REFERENCES category
);
-- For those below one.
CREATE INDEX category_by_parent ON category (tenant_id, parent) WHERE parent IS NOT NULL;

CREATE TABLE product_category (
  tenant_id  text NOT NULL,
  product_id text NOT NULL,
  category   text NOT NULL,
  PRIMARY KEY (tenant_id, product_id, category),
  FOREIGN KEY (tenant_id, product_id) REFERENCES product,
  FOREIGN KEY (tenant_id, category) REFERENCES category
);
-- Partial, though for every row, so that it is not taken for look-ups by product.
CREATE INDEX product_category_by_category ON product_category (tenant_id, category) WHERE category IS NOT NULL;

-- "name:value", sorted; a name has no colon.
ALTER TABLE product ADD COLUMN attributes text[] NOT NULL DEFAULT '{}';

ALTER TABLE category ENABLE ROW LEVEL SECURITY;
ALTER TABLE category FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON category USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE product_category ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_category FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON product_category USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
