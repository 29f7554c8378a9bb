-- Where a SKU is taken from first, what is in great demand, and stock that a forced adjustment has made less than what is promised.
ALTER TABLE inventory_stock
  ADD COLUMN priority int     NOT NULL DEFAULT 100 CHECK (priority BETWEEN 0 AND 1000),
  ADD COLUMN is_hot   boolean NOT NULL DEFAULT false,
  ADD COLUMN oversold boolean NOT NULL DEFAULT false;
ALTER TABLE inventory_stock DROP CONSTRAINT available_not_negative;
ALTER TABLE inventory_stock ADD CONSTRAINT available_not_negative CHECK (on_hand - reserved - buffer >= 0 OR oversold);

ALTER TABLE inventory_adjustment
  ADD COLUMN buffer_delta bigint  NOT NULL DEFAULT 0,
  -- Carried out although available became negative.
  ADD COLUMN forced       boolean NOT NULL DEFAULT false,
  ADD COLUMN shipment_id  text;

ALTER TABLE reservation DROP CONSTRAINT reservation_status_check;
ALTER TABLE reservation
  ADD CONSTRAINT reservation_status_check CHECK (status IN ('HELD', 'COMMITTED', 'RELEASED', 'EXPIRED', 'SHIPPED')),
  ADD COLUMN holder       text   NOT NULL DEFAULT 'OTHER' CHECK (holder IN ('ORDER', 'CART', 'OTHER')),
  -- Of a cart's hold: the cart, and the version of its item that was held.
  ADD COLUMN cart_id      text,
  ADD COLUMN item_version bigint;
-- For the search for holds that no order came of: a few pages instead of an entry a row.
CREATE INDEX reservation_by_creation ON reservation USING brin (created_at) WITH (pages_per_range = 16);

ALTER TABLE reservation_line ADD COLUMN shipped bigint NOT NULL DEFAULT 0, ADD CONSTRAINT shipped_at_most CHECK (shipped BETWEEN 0 AND qty);

-- The jobs that look for expired and forgotten holds look in all tenants at once; they change what they find as its tenant.
CREATE POLICY background ON reservation FOR SELECT USING (current_setting('bv.tenants', true) = '*');
CREATE POLICY background ON reservation_line FOR SELECT USING (current_setting('bv.tenants', true) = '*');
