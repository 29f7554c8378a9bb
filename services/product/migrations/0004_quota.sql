-- Flash sales of a limited quantity. What is left of it is a quota in inventory; here stands only whether there is something left.
ALTER TABLE flash_sale
  -- NULL without a limit.
  ADD COLUMN quantity_limit bigint CHECK (quantity_limit > 0),
  ADD COLUMN sold_out       boolean NOT NULL DEFAULT false,
  -- That of the quota's event which last made it sold out or not: what is older says nothing.
  ADD COLUMN quota_version  bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT only_limits_are_reached CHECK (quantity_limit IS NOT NULL OR NOT sold_out);

ALTER TABLE flash_sale_offer
  ADD COLUMN limited     boolean NOT NULL DEFAULT false,
  -- The price holds neither from here on, while it is sold out…
  ADD COLUMN sold_out_at timestamptz,
  -- …nor before the time at which pieces last came back.
  ADD COLUMN back_at     timestamptz;
