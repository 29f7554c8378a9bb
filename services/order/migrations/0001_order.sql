CREATE TABLE orders (
  tenant_id          text   NOT NULL,
  order_id           text   NOT NULL,
  user_id            text   NOT NULL,
  status             text   NOT NULL CHECK (status IN ('PENDING', 'PAID', 'FULFILLED', 'CANCELED')),
  payment_status     text   NOT NULL CHECK (payment_status IN ('PENDING', 'PAID', 'FAILED', 'REFUNDED', 'DUE_ON_DELIVERY')),
  fulfillment_status text   NOT NULL CHECK (fulfillment_status IN ('UNFULFILLED', 'PARTIALLY_SHIPPED', 'SHIPPED', 'DELIVERED')),
  payment_method     text   NOT NULL CHECK (payment_method IN ('CARD', 'BANK_TRANSFER', 'CASH_ON_DELIVERY')),
  -- Minor units of the currency.
  total_amount       bigint NOT NULL CHECK (total_amount >= 0),
  currency           char(3) NOT NULL,
  email              text   NOT NULL,
  -- Name, line 1, line 2, city, region, postal code, country, phone.
  shipping_address   text[] NOT NULL CHECK (cardinality(shipping_address) = 8),
  version            bigint NOT NULL DEFAULT 1,
  created_at         timestamptz NOT NULL DEFAULT now(),
  updated_at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, order_id)
);
-- Order ids sort by time, so this is a customer's orders by age.
CREATE INDEX orders_by_user ON orders (tenant_id, user_id, order_id);

CREATE TABLE order_items (
  tenant_id  text   NOT NULL,
  order_id   text   NOT NULL,
  position   int    NOT NULL,
  product_id text   NOT NULL,
  variant_id text   NOT NULL,
  sku        text   NOT NULL,
  title      text   NOT NULL,
  qty        bigint NOT NULL CHECK (qty > 0),
  price      bigint NOT NULL CHECK (price >= 0),
  PRIMARY KEY (tenant_id, order_id, position),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders
);

-- Every state an order was in: who, why, when.
CREATE TABLE order_status_history (
  tenant_id          text   NOT NULL,
  order_id           text   NOT NULL,
  version            bigint NOT NULL,
  status             text   NOT NULL,
  payment_status     text   NOT NULL,
  fulfillment_status text   NOT NULL,
  actor              text   NOT NULL,
  reason             text   NOT NULL,
  at                 timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, order_id, version),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders
);

-- What a request under an Idempotency-Key led to.
CREATE TABLE idempotency_record (
  tenant_id    text NOT NULL,
  user_id      text NOT NULL,
  -- SHA-256 of the key and of the request, hexadecimal.
  key_hash     text NOT NULL,
  request_hash text NOT NULL,
  order_id     text NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id, key_hash)
);

ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE order_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_items FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON order_items USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE order_status_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_status_history FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON order_status_history USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE idempotency_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_record FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_record USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
