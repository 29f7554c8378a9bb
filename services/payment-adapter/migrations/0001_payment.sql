CREATE TABLE payments (
  tenant_id      text    NOT NULL,
  payment_id     text    NOT NULL,
  order_id       text    NOT NULL,
  -- Minor units of the currency.
  amount         bigint  NOT NULL CHECK (amount > 0),
  currency       char(3) NOT NULL,
  method         text    NOT NULL CHECK (method IN ('CARD', 'BANK_TRANSFER', 'CASH_ON_DELIVERY')),
  status         text    NOT NULL CHECK (status IN ('PROCESSING', 'PENDING', 'SUCCEEDED', 'FAILED', 'REFUNDING', 'REFUNDED')),
  -- Why it FAILED. While it is PROCESSING: what the gateway has declined it for, not yet for good.
  failure_reason text    NOT NULL DEFAULT '',
  refund_reason  text    NOT NULL DEFAULT '',
  -- The one gateway that has taken the money, or that something of this payment may have reached.
  gateway        text    NOT NULL DEFAULT '' CHECK (gateway IN ('', 'SOAP', 'REST')),
  -- Not NULL: a request may have reached the gateway, and what came of it is not known. Only a look-up that begins after this time
  -- and finds nothing shows that nothing was charged and nothing will be.
  in_doubt_until timestamptz CHECK (in_doubt_until IS NULL OR gateway <> ''),
  -- The gateway's transaction, or what the back office gave.
  reference      text    NOT NULL DEFAULT '',
  -- Requests to gateways so far; the last 100 are in payment_attempts.
  attempts       int     NOT NULL DEFAULT 0,
  -- Who drives the payment: only the holder begins a request, and until this time nobody else takes its place.
  lease_holder   text    NOT NULL DEFAULT '',
  lease_until    timestamptz NOT NULL DEFAULT '-infinity',
  -- Grows with each event over all payments of the order.
  version        bigint  NOT NULL DEFAULT 0,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, payment_id)
);
-- At most one payment of an order has its money, or may have it.
CREATE UNIQUE INDEX payments_with_money ON payments (tenant_id, order_id)
  WHERE status IN ('PROCESSING', 'SUCCEEDED', 'REFUNDING', 'REFUNDED');
CREATE INDEX payments_by_order ON payments (tenant_id, order_id, created_at);

-- Requests to gateways: a row is there before its request is sent.
CREATE TABLE payment_attempts (
  tenant_id   text NOT NULL,
  payment_id  text NOT NULL,
  number      int  NOT NULL,
  gateway     text NOT NULL CHECK (gateway IN ('SOAP', 'REST')),
  operation   text NOT NULL CHECK (operation IN ('CHARGE', 'LOOKUP', 'REFUND')),
  -- UNKNOWN from the start on, until an answer is stored.
  outcome     text NOT NULL CHECK (outcome IN ('SUCCEEDED', 'DECLINED', 'NOT_FOUND', 'FAULT', 'REFUSED', 'UNKNOWN')),
  detail      text NOT NULL DEFAULT '',
  started_at  timestamptz NOT NULL DEFAULT now(),
  -- NULL while it runs, and for ever when the process ended meanwhile.
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, payment_id, number),
  FOREIGN KEY (tenant_id, payment_id) REFERENCES payments
);

ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON payments USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE payment_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON payment_attempts USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
