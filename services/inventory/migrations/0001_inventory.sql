-- Stock by SKU and location. available = on_hand − reserved − buffer.
CREATE TABLE inventory_stock (
  tenant_id     text   NOT NULL,
  sku           text   NOT NULL,
  location_code text   NOT NULL,
  product_id    text   NOT NULL,
  on_hand       bigint NOT NULL CHECK (on_hand >= 0),
  reserved      bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  buffer        bigint NOT NULL DEFAULT 0 CHECK (buffer >= 0),
  version       bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, sku, location_code),
  -- The last line of defence: whatever the code decides, nothing is sold that is not there.
  CONSTRAINT available_not_negative CHECK (on_hand - reserved - buffer >= 0)
-- Every reservation updates a row: room on the page keeps the update from touching the index.
) WITH (fillfactor = 50);

-- The ledger: every change of a quantity, never changed or deleted.
CREATE TABLE inventory_adjustment (
  tenant_id      text   NOT NULL,
  adjustment_id  text   NOT NULL,
  sku            text   NOT NULL,
  location_code  text   NOT NULL,
  on_hand_delta  bigint NOT NULL,
  reserved_delta bigint NOT NULL,
  reason         text   NOT NULL,
  -- The reservation that caused it, if one did.
  reservation_id text,
  user_id        text   NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, adjustment_id)
);
CREATE INDEX inventory_adjustment_by_sku ON inventory_adjustment (tenant_id, sku, created_at);

CREATE TABLE reservation (
  tenant_id      text NOT NULL,
  reservation_id text NOT NULL,
  user_id        text NOT NULL,
  status         text NOT NULL CHECK (status IN ('HELD', 'RELEASED')),
  expires_at     timestamptz NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, reservation_id)
);
CREATE INDEX reservation_by_expiry ON reservation (expires_at) WHERE status = 'HELD';

CREATE TABLE reservation_line (
  tenant_id      text   NOT NULL,
  reservation_id text   NOT NULL,
  sku            text   NOT NULL,
  location_code  text   NOT NULL,
  qty            bigint NOT NULL CHECK (qty > 0),
  PRIMARY KEY (tenant_id, reservation_id, sku, location_code)
);

ALTER TABLE inventory_stock ENABLE ROW LEVEL SECURITY;
ALTER TABLE inventory_stock FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON inventory_stock USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE inventory_adjustment ENABLE ROW LEVEL SECURITY;
ALTER TABLE inventory_adjustment FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON inventory_adjustment USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE reservation ENABLE ROW LEVEL SECURITY;
ALTER TABLE reservation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reservation USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE reservation_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE reservation_line FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reservation_line USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
