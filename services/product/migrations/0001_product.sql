CREATE TABLE product (
  tenant_id   text   NOT NULL,
  product_id  text   NOT NULL,
  title       text   NOT NULL,
  description text   NOT NULL,
  status      text   NOT NULL CHECK (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')),
  version     bigint NOT NULL DEFAULT 1 CHECK (version > 0),
  created_at  timestamptz NOT NULL,
  -- The time of the newest version. Grows with every version, whatever the clock does.
  updated_at  timestamptz NOT NULL,
  -- Product ids sort by time, so this is also the catalogue by age.
  PRIMARY KEY (tenant_id, product_id)
);

CREATE TABLE variant (
  tenant_id        text NOT NULL,
  variant_id       text NOT NULL,
  product_id       text NOT NULL,
  -- From 0, in the order in which the product shows its variants. Variants are archived, never deleted.
  position         int  NOT NULL CHECK (position >= 0),
  sku              text NOT NULL,
  -- Minor units, in the currency of the price. What the price is compared with; no part of the price history.
  compare_at_price bigint CHECK (compare_at_price > 0),
  fulfillment_type text NOT NULL CHECK (fulfillment_type IN ('PHYSICAL', 'DIGITAL')),
  status           text NOT NULL CHECK (status IN ('ACTIVE', 'ARCHIVED')),
  created_at       timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, variant_id),
  CONSTRAINT variant_sku_unique UNIQUE (tenant_id, sku),
  CONSTRAINT variant_position_unique UNIQUE (tenant_id, product_id, position),
  FOREIGN KEY (tenant_id, product_id) REFERENCES product
);

-- Every price with the time in which it holds, valid_from included, valid_to not: a slowly changing dimension of type 2.
--
-- The rows of a variant are one chain, without a gap, an overlap or a second current row, because
--   each row ends where another begins (price_has_successor) or does not end,
--   no two rows end at the same time, nor do two not end (price_end_unique),
--   no two rows begin at the same time (the primary key), and each ends after it begins (price_ends_later),
-- so that following the successors meets every row once and ends in the single row without an end. One row begins with the variant
-- (variant_has_price), so there is no variant without a current price.
CREATE TABLE product_price_history (
  tenant_id  text    NOT NULL,
  variant_id text    NOT NULL,
  valid_from timestamptz NOT NULL,
  -- Absent in the current row.
  valid_to   timestamptz,
  -- Minor units of the currency.
  price      bigint  NOT NULL CHECK (price >= 0),
  currency   char(3) NOT NULL,
  PRIMARY KEY (tenant_id, variant_id, valid_from),
  CONSTRAINT price_ends_later CHECK (valid_to > valid_from),
  CONSTRAINT price_end_unique UNIQUE NULLS NOT DISTINCT (tenant_id, variant_id, valid_to),
  CONSTRAINT price_has_successor FOREIGN KEY (tenant_id, variant_id, valid_to)
    REFERENCES product_price_history (tenant_id, variant_id, valid_from) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (tenant_id, variant_id) REFERENCES variant
);
ALTER TABLE variant ADD CONSTRAINT variant_has_price FOREIGN KEY (tenant_id, variant_id, created_at)
  REFERENCES product_price_history (tenant_id, variant_id, valid_from) DEFERRABLE INITIALLY DEFERRED;

-- What was, stays: a row is closed once and otherwise never changed. (Deleting one breaks the chain, so it is refused as well.)
CREATE FUNCTION refuse_price_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a price in the history is not changed; close it and open another' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER price_is_final BEFORE UPDATE ON product_price_history
  FOR EACH ROW
  WHEN (old.valid_to IS NOT NULL
        OR (new.tenant_id, new.variant_id, new.valid_from, new.price, new.currency)
           IS DISTINCT FROM (old.tenant_id, old.variant_id, old.valid_from, old.price, old.currency))
  EXECUTE FUNCTION refuse_price_change();

ALTER TABLE product ENABLE ROW LEVEL SECURITY;
ALTER TABLE product FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON product USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE variant ENABLE ROW LEVEL SECURITY;
ALTER TABLE variant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON variant USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE product_price_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_price_history FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON product_price_history USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
