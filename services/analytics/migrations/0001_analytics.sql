-- Which version of a projection's rows is read; see libs/projections. It holds nothing of a tenant.
CREATE TABLE projection (
  name         text PRIMARY KEY,
  live_version int NOT NULL CHECK (live_version >= 1),
  -- The version of the function that made these rows.
  made_by      int NOT NULL
);

-- How far the rows of a version have come; changed in the transaction that changes them.
CREATE TABLE projection_position (
  name         text   NOT NULL,
  rows_version int    NOT NULL,
  topic        text   NOT NULL,
  partition    int    NOT NULL,
  -- Of the first message that is not in the rows.
  next_offset  bigint NOT NULL,
  PRIMARY KEY (name, rows_version, topic, partition)
);

-- Rows of several versions stand beside each other while one is being rebuilt. The columns of a facet are NULL until something was put into it.
CREATE TABLE orders_by_customer (
  tenant_id          text   NOT NULL,
  rows_version       int    NOT NULL,
  user_id            text   NOT NULL,
  -- Sorts by the time of its creation.
  order_id           text   NOT NULL,
  placed_version     bigint NOT NULL,
  total_amount       bigint,
  currency           text,
  created_at         timestamptz,
  state_version      bigint NOT NULL,
  status             text,
  payment_status     text,
  fulfillment_status text,
  updated_at         timestamptz,
  PRIMARY KEY (tenant_id, rows_version, user_id, order_id)
);

CREATE TABLE inventory_snapshot (
  tenant_id     text   NOT NULL,
  rows_version  int    NOT NULL,
  sku           text   NOT NULL,
  location_code text   NOT NULL,
  stock_version bigint NOT NULL,
  product_id    text,
  on_hand       bigint,
  reserved      bigint,
  available     bigint,
  updated_at    timestamptz,
  PRIMARY KEY (tenant_id, rows_version, sku, location_code)
);

-- Amounts in minor units of the currency.
CREATE TABLE daily_revenue (
  tenant_id       text   NOT NULL,
  rows_version    int    NOT NULL,
  -- In the tenant's time zone.
  day             date   NOT NULL,
  currency        text   NOT NULL,
  paid_amount     bigint NOT NULL,
  paid_orders     bigint NOT NULL,
  refunded_amount bigint NOT NULL,
  refunded_orders bigint NOT NULL,
  PRIMARY KEY (tenant_id, rows_version, day, currency)
);

CREATE TABLE revenue_by_minute (
  tenant_id       text        NOT NULL,
  rows_version    int         NOT NULL,
  -- Its start.
  minute          timestamptz NOT NULL,
  currency        text        NOT NULL,
  paid_amount     bigint NOT NULL,
  paid_orders     bigint NOT NULL,
  refunded_amount bigint NOT NULL,
  refunded_orders bigint NOT NULL,
  PRIMARY KEY (tenant_id, rows_version, minute, currency)
);
-- For the metric and the clean-up, which look at all tenants.
CREATE INDEX revenue_by_minute_by_time ON revenue_by_minute (minute);

ALTER TABLE orders_by_customer ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders_by_customer FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders_by_customer USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE inventory_snapshot ENABLE ROW LEVEL SECURITY;
ALTER TABLE inventory_snapshot FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON inventory_snapshot USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE daily_revenue ENABLE ROW LEVEL SECURITY;
ALTER TABLE daily_revenue FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON daily_revenue USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE revenue_by_minute ENABLE ROW LEVEL SECURITY;
ALTER TABLE revenue_by_minute FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON revenue_by_minute USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
-- Two versions of the rows are compared over all tenants.
CREATE POLICY background ON orders_by_customer FOR SELECT USING (current_setting('bv.tenants', true) = '*');
CREATE POLICY background ON inventory_snapshot FOR SELECT USING (current_setting('bv.tenants', true) = '*');
CREATE POLICY background ON daily_revenue FOR SELECT USING (current_setting('bv.tenants', true) = '*');
-- Minutes that are over are summed for the metric, and deleted when nobody asks for them any more.
CREATE POLICY background ON revenue_by_minute USING (current_setting('bv.tenants', true) = '*');
