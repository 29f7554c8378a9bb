ALTER TABLE orders
  -- The reservation of its stock; NULL: it has the order's id.
  ADD COLUMN reservation_id  text,
  -- NULL once the stock is committed.
  ADD COLUMN hold_expires_at timestamptz,
  ADD COLUMN cancel_reason   text NOT NULL DEFAULT '',
  -- The payment that paid it.
  ADD COLUMN payment_id      text NOT NULL DEFAULT '';
-- One order a reservation: the last line of defence against stock that is sold twice.
CREATE UNIQUE INDEX orders_by_reservation ON orders (tenant_id, reservation_id);

-- Items and history are written by the statement that writes their order, and nothing is ever deleted: to look each order up again for
-- each of their rows is work without a purpose. `tools/bv check` proves that none is without its order.
ALTER TABLE order_items DROP CONSTRAINT order_items_tenant_id_order_id_fkey;
ALTER TABLE order_status_history DROP CONSTRAINT order_status_history_tenant_id_order_id_fkey;

-- Empty for the shop itself.
ALTER TABLE order_items ADD COLUMN vendor_id text NOT NULL DEFAULT '';

CREATE TABLE shipment (
  tenant_id       text NOT NULL,
  order_id        text NOT NULL,
  shipment_id     text NOT NULL,
  vendor_id       text NOT NULL,
  status          text NOT NULL CHECK (status IN ('PREPARING', 'SHIPPED', 'DELIVERED')),
  carrier         text NOT NULL,
  tracking_number text NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  shipped_at      timestamptz,
  delivered_at    timestamptz,
  PRIMARY KEY (tenant_id, order_id, shipment_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders
);

CREATE TABLE shipment_item (
  tenant_id   text   NOT NULL,
  order_id    text   NOT NULL,
  shipment_id text   NOT NULL,
  sku         text   NOT NULL,
  qty         bigint NOT NULL CHECK (qty > 0),
  PRIMARY KEY (tenant_id, order_id, shipment_id, sku),
  FOREIGN KEY (tenant_id, order_id, shipment_id) REFERENCES shipment
);

-- What has been begun with an order and spans services: the record that a restart finishes or undoes it by. At most one at a time.
CREATE TABLE order_process (
  tenant_id  text NOT NULL,
  order_id   text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('COMMIT', 'PAY', 'CONFIRM', 'CANCEL', 'FULFILL')),
  -- What its steps need, JSON: the payment's id, the reason, the shipments.
  payload    text NOT NULL,
  actor      text NOT NULL,
  attempts   int  NOT NULL DEFAULT 0,
  -- Whoever drives it has taken it until then; after that, it is anybody's.
  next_at    timestamptz NOT NULL,
  last_error text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, order_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders
);
CREATE INDEX order_process_by_time ON order_process (next_at);

ALTER TABLE shipment ENABLE ROW LEVEL SECURITY;
ALTER TABLE shipment FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shipment USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE shipment_item ENABLE ROW LEVEL SECURITY;
ALTER TABLE shipment_item FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shipment_item USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE order_process ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_process FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON order_process USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
-- The job that finishes what was left takes processes of all tenants at once, and goes on with each as its tenant.
CREATE POLICY background ON order_process USING (current_setting('bv.tenants', true) = '*');
