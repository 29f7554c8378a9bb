-- A row a tenant, whose lock puts the changes of the tenant one after another.
CREATE TABLE identity_tenant (
  tenant_id text PRIMARY KEY,
  -- How many there were; what revokes tokens takes its number as the version of its event.
  changes   bigint NOT NULL
);

-- Tokens that are no longer good although they have not expired.
CREATE TABLE revocation (
  tenant_id    text NOT NULL,
  subject      text NOT NULL,
  -- The jti of one token; empty: all that were issued until then.
  token_id     text NOT NULL,
  issued_until timestamptz NOT NULL,
  forget_after timestamptz NOT NULL CHECK (forget_after > issued_until),
  revoked_by   text NOT NULL,
  PRIMARY KEY (tenant_id, subject, token_id)
);
CREATE INDEX revocation_by_end ON revocation (forget_after) WHERE forget_after IS NOT NULL;

-- Where a tenant sells.
CREATE TABLE store (
  tenant_id       text NOT NULL,
  store_code      text NOT NULL,
  name            text NOT NULL,
  -- Empty: no single one.
  currency        text NOT NULL,
  default_country text NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  closed_at       timestamptz,
  PRIMARY KEY (tenant_id, store_code)
);

-- Who works for a tenant, or is invited to.
CREATE TABLE staff (
  tenant_id     text NOT NULL,
  staff_id      text NOT NULL,
  -- Lower case. Personal data.
  email         text NOT NULL,
  -- Who has accepted the invitation.
  user_id       text,
  status        text NOT NULL CHECK (status IN ('INVITED', 'ACTIVE', 'DEACTIVATED')),
  -- SHA-256, hexadecimal. It stays with the account that it led to, so that the answer to its use can be repeated.
  code_hash     text CHECK (length(code_hash) = 64),
  invited_until timestamptz,
  version       bigint NOT NULL DEFAULT 1,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  CHECK (status <> 'ACTIVE' OR user_id IS NOT NULL),
  CHECK (status <> 'INVITED' OR user_id IS NULL AND code_hash IS NOT NULL),
  CHECK ((code_hash IS NULL) = (invited_until IS NULL)),
  -- Ids sort by time, so this is also the list, oldest first.
  PRIMARY KEY (tenant_id, staff_id)
);
CREATE UNIQUE INDEX staff_by_email ON staff (tenant_id, email) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX staff_by_user ON staff (tenant_id, user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX staff_by_code ON staff (tenant_id, code_hash) WHERE code_hash IS NOT NULL;
CREATE INDEX staff_not_deactivated ON staff (tenant_id) WHERE status <> 'DEACTIVATED';

-- What an account opens in which store. Stores are not deleted, so nothing here names one that there never was.
CREATE TABLE staff_grant (
  tenant_id   text   NOT NULL,
  staff_id    text   NOT NULL,
  -- "*": every store.
  store_code  text   NOT NULL,
  permissions text[] NOT NULL CHECK (cardinality(permissions) BETWEEN 1 AND 10),
  PRIMARY KEY (tenant_id, staff_id, store_code)
);

ALTER TABLE identity_tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity_tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON identity_tenant USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE revocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON revocation USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
-- For the job that forgets, in all tenants, what has expired by itself.
CREATE POLICY background ON revocation FOR SELECT USING (current_setting('bv.tenants', true) = '*');
CREATE POLICY background_delete ON revocation FOR DELETE USING (current_setting('bv.tenants', true) = '*' AND forget_after < now());
ALTER TABLE store ENABLE ROW LEVEL SECURITY;
ALTER TABLE store FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON store USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON staff USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE staff_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff_grant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON staff_grant USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
