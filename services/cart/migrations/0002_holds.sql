-- What inventory holds for the items of a cart, where the tenant wants that.
ALTER TABLE cart
  -- Grows by one with every change of the items; an item that is removed and comes back has a greater one than before.
  ADD COLUMN version bigint NOT NULL DEFAULT 0;

ALTER TABLE cart_item
  -- The cart's version of the item's last change; inventory's answers name the one they are for.
  ADD COLUMN item_version bigint NOT NULL DEFAULT 0,
  -- NULL: nothing is held and nothing asked for.
  ADD COLUMN hold_status  text CHECK (hold_status IN ('REQUESTED', 'HELD', 'REJECTED', 'EXPIRED')),
  ADD COLUMN hold_qty     bigint NOT NULL DEFAULT 0,
  ADD COLUMN held_until   timestamptz,
  ADD CONSTRAINT held_has_its_time CHECK (hold_status IS DISTINCT FROM 'HELD' OR held_until IS NOT NULL);
