-- A cart belongs to a user or to a session. It is closed when its items have moved to another cart, and deleted once it has expired.
CREATE TABLE cart (
  tenant_id    text NOT NULL,
  cart_id      text NOT NULL,
  user_id      text CHECK (user_id <> ''),
  -- SHA-256 of the session's secret, hexadecimal: whoever reads this table cannot use the carts.
  session_hash text CHECK (session_hash ~ '^[0-9a-f]{64}$'),
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  closed_at    timestamptz,
  PRIMARY KEY (tenant_id, cart_id),
  CONSTRAINT cart_has_one_owner CHECK ((user_id IS NULL) <> (session_hash IS NULL))
);
-- IS NOT NULL keeps each from being taken for the other's queries.
CREATE UNIQUE INDEX cart_open_by_user ON cart (tenant_id, user_id) WHERE closed_at IS NULL AND user_id IS NOT NULL;
CREATE UNIQUE INDEX cart_open_by_session ON cart (tenant_id, session_hash) WHERE closed_at IS NULL AND session_hash IS NOT NULL;
CREATE INDEX cart_by_expiry ON cart (tenant_id, expires_at);

CREATE TABLE cart_item (
  tenant_id text   NOT NULL,
  cart_id   text   NOT NULL,
  sku       text   NOT NULL,
  qty       bigint NOT NULL CHECK (qty BETWEEN 1 AND 10000),
  -- The order in which the cart shows its items.
  added_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, cart_id, sku),
  FOREIGN KEY (tenant_id, cart_id) REFERENCES cart ON DELETE CASCADE
);

-- The tenants that have carts, so that the clean-up knows for which tenants to look. It holds nothing but their ids, and is the one table
-- that every tenant's transactions see.
CREATE TABLE cart_tenant (
  tenant_id text PRIMARY KEY
);

ALTER TABLE cart ENABLE ROW LEVEL SECURITY;
ALTER TABLE cart FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON cart USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE cart_item ENABLE ROW LEVEL SECURITY;
ALTER TABLE cart_item FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON cart_item USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
