-- What lies over the catalogue's prices. The price of a variant at a time is that of the sale that holds, else of the override that
-- holds, else of product_price_history: valid_from or starts_at included, valid_until or ends_at not.

-- A range that holds one text, so that an exclusion constraint can compare keys: by itself a GiST index knows no "=" of text, and the
-- extension that teaches it needs a superuser.
CREATE TYPE key_range AS RANGE (subtype = text, collation = "C");

-- An override that has ended stays, for prices of the past.
CREATE TABLE price_override (
  tenant_id     text NOT NULL,
  variant_id    text NOT NULL,
  product_id    text NOT NULL,
  valid_from    timestamptz NOT NULL,
  -- 'infinity' until it is removed.
  valid_until   timestamptz NOT NULL,
  -- Minor units of the currency.
  price         bigint  NOT NULL CHECK (price >= 0),
  currency      char(3) NOT NULL,
  -- Who set it.
  actor         text NOT NULL,
  end_announced boolean NOT NULL DEFAULT false,
  -- When there is something to announce; NULL when nothing is left.
  due_at        timestamptz GENERATED ALWAYS AS (
    CASE WHEN NOT end_announced AND valid_until < 'infinity' THEN valid_until END) STORED,
  PRIMARY KEY (tenant_id, variant_id, valid_from),
  CONSTRAINT override_ends_later CHECK (valid_until > valid_from),
  CONSTRAINT overrides_do_not_overlap EXCLUDE USING gist (
    key_range(tenant_id, tenant_id, '[]') WITH &&, key_range(variant_id, variant_id, '[]') WITH &&,
    tstzrange(valid_from, valid_until) WITH &&),
  FOREIGN KEY (tenant_id, variant_id) REFERENCES variant,
  FOREIGN KEY (tenant_id, product_id) REFERENCES product
);
CREATE UNIQUE INDEX price_override_by_end ON price_override (tenant_id, variant_id, valid_until);
CREATE INDEX price_override_due ON price_override (due_at, tenant_id, product_id) WHERE due_at IS NOT NULL;
CREATE INDEX price_override_due_of_product ON price_override (tenant_id, product_id, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE flash_sale (
  tenant_id       text NOT NULL,
  -- Sorts by time.
  sale_id         text NOT NULL,
  product_id      text NOT NULL,
  name            text NOT NULL,
  starts_at       timestamptz NOT NULL,
  -- Of a canceled sale: when it was, or its start when it had not begun.
  ends_at         timestamptz NOT NULL,
  canceled_at     timestamptz,
  -- Who scheduled it.
  actor           text NOT NULL,
  created_at      timestamptz NOT NULL,
  start_announced boolean NOT NULL DEFAULT false,
  end_announced   boolean NOT NULL DEFAULT false,
  -- When there is something to announce; NULL when nothing is left.
  due_at          timestamptz GENERATED ALWAYS AS (
    CASE WHEN NOT start_announced THEN starts_at WHEN NOT end_announced THEN ends_at END) STORED,
  PRIMARY KEY (tenant_id, sale_id),
  CONSTRAINT sale_times_for_offers UNIQUE (tenant_id, sale_id, starts_at, ends_at),
  CONSTRAINT sale_ends_later CHECK (ends_at > starts_at OR (ends_at = starts_at AND canceled_at IS NOT NULL)),
  CONSTRAINT sale_begins_before_it_ends CHECK (start_announced OR NOT end_announced),
  FOREIGN KEY (tenant_id, product_id) REFERENCES product
);
CREATE INDEX flash_sale_by_product ON flash_sale (tenant_id, product_id, sale_id);
CREATE INDEX flash_sale_due ON flash_sale (due_at, tenant_id, product_id) WHERE due_at IS NOT NULL;
CREATE INDEX flash_sale_due_of_product ON flash_sale (tenant_id, product_id, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE flash_sale_offer (
  tenant_id  text NOT NULL,
  sale_id    text NOT NULL,
  variant_id text NOT NULL,
  -- From 0, in the order in which the sale shows its offers.
  position   int NOT NULL CHECK (position >= 0),
  -- Minor units of the currency.
  price      bigint  NOT NULL CHECK (price >= 0),
  currency   char(3) NOT NULL,
  -- The sale's, which change here when they change there.
  starts_at  timestamptz NOT NULL,
  ends_at    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, sale_id, variant_id),
  CONSTRAINT sales_of_a_variant_do_not_overlap EXCLUDE USING gist (
    key_range(tenant_id, tenant_id, '[]') WITH &&, key_range(variant_id, variant_id, '[]') WITH &&,
    tstzrange(starts_at, ends_at) WITH &&),
  FOREIGN KEY (tenant_id, sale_id, starts_at, ends_at)
    REFERENCES flash_sale (tenant_id, sale_id, starts_at, ends_at) ON UPDATE CASCADE,
  FOREIGN KEY (tenant_id, variant_id) REFERENCES variant
);
-- Without the offers of sales that were canceled before they began.
CREATE UNIQUE INDEX flash_sale_offer_by_end ON flash_sale_offer (tenant_id, variant_id, ends_at) WHERE ends_at > starts_at;

ALTER TABLE price_override ENABLE ROW LEVEL SECURITY;
ALTER TABLE price_override FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON price_override USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE flash_sale ENABLE ROW LEVEL SECURITY;
ALTER TABLE flash_sale FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON flash_sale USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE flash_sale_offer ENABLE ROW LEVEL SECURITY;
ALTER TABLE flash_sale_offer FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON flash_sale_offer USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));

-- The announcer looks for what is due in all tenants at once.
CREATE POLICY background ON price_override FOR SELECT USING (current_setting('bv.tenants', true) = '*' AND due_at IS NOT NULL);
CREATE POLICY background ON flash_sale FOR SELECT USING (current_setting('bv.tenants', true) = '*' AND due_at IS NOT NULL);
