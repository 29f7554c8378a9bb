-- From whom a tenant's mails come. A tenant without a row gets none sent.
CREATE TABLE mail_sender (
  tenant_id       text PRIMARY KEY,
  email           text NOT NULL,
  name            text NOT NULL,
  reply_to        text NOT NULL,
  unsubscribe_url text NOT NULL,
  -- What happened before is not written about.
  since           timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);

-- Addresses that get no mails. Only their hashes: whoever reads this table cannot write to them.
CREATE TABLE mail_suppression (
  tenant_id    text NOT NULL,
  address_hash text NOT NULL CHECK (length(address_hash) = 64),
  reason       text NOT NULL CHECK (reason IN ('UNSUBSCRIBED', 'BOUNCED', 'COMPLAINED')),
  since        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, address_hash)
);

-- The address and the text are made when the mail is sent, of the order as it is then.
CREATE TABLE mail (
  tenant_id       text NOT NULL,
  mail_id         text NOT NULL,
  order_id        text NOT NULL,
  kind            text NOT NULL,
  status          text NOT NULL DEFAULT 'QUEUED' CHECK (status IN ('QUEUED', 'SENT', 'FAILED', 'SUPPRESSED')),
  attempts        int  NOT NULL DEFAULT 0,
  detail          text NOT NULL DEFAULT '',
  created_at      timestamptz NOT NULL DEFAULT now(),
  -- Who sends it sets this to the end of its lease first.
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  ended_at        timestamptz,
  PRIMARY KEY (tenant_id, mail_id)
);
CREATE INDEX mail_by_order ON mail (tenant_id, order_id, created_at) WHERE order_id IS NOT NULL;
CREATE INDEX mail_due ON mail (next_attempt_at) WHERE status = 'QUEUED';
CREATE INDEX mail_ended ON mail (ended_at) WHERE ended_at IS NOT NULL;

ALTER TABLE mail_sender ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail_sender FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON mail_sender USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE mail_suppression ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail_suppression FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON mail_suppression USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE mail ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON mail USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
-- For the job that looks for what is due, in all tenants, and for the one that deletes what is old.
CREATE POLICY background ON mail FOR SELECT USING (current_setting('bv.tenants', true) = '*');
CREATE POLICY background_delete ON mail FOR DELETE USING (current_setting('bv.tenants', true) = '*' AND ended_at IS NOT NULL);
