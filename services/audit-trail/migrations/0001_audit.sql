-- Who did what. Only ever added to: each entry has a hash over itself and the one before, README.md says of which bytes.
CREATE TABLE audit_entry (
  tenant_id      text   NOT NULL,
  -- From 1 on, without a gap.
  number         bigint NOT NULL CHECK (number >= 1),
  -- Of the event.
  entry_id       text   NOT NULL,
  occurred_at    timestamptz NOT NULL,
  actor          text   NOT NULL,
  role           text   NOT NULL,
  action         text   NOT NULL,
  object_type    text   NOT NULL,
  object_id      text   NOT NULL,
  outcome        text   NOT NULL CHECK (outcome IN ('DONE', 'DENIED', 'FAILED')),
  reason         text   NOT NULL,
  -- As texts, since the hash is over them.
  before         text   NOT NULL,
  after          text   NOT NULL,
  correlation_id text   NOT NULL,
  recorded_at    timestamptz NOT NULL,
  previous_hash  text   NOT NULL CHECK (length(previous_hash) = 64),
  hash           text   NOT NULL CHECK (length(hash) = 64),
  PRIMARY KEY (tenant_id, number)
);
-- An event that comes again is not chained twice.
CREATE UNIQUE INDEX audit_entry_once ON audit_entry (tenant_id, entry_id);
CREATE INDEX audit_entry_by_time ON audit_entry (tenant_id, occurred_at, number);
CREATE INDEX audit_entry_by_object ON audit_entry (tenant_id, object_id, occurred_at, number);
CREATE INDEX audit_entry_by_actor ON audit_entry (tenant_id, actor, occurred_at, number);
CREATE INDEX audit_entry_by_action ON audit_entry (tenant_id, action, occurred_at, number);

-- The last entry of each tenant. Whoever chains locks its row.
CREATE TABLE audit_chain (
  tenant_id  text PRIMARY KEY,
  number     bigint NOT NULL,
  hash       text   NOT NULL CHECK (length(hash) = 64),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_chain_by_time ON audit_chain (updated_at);

-- The owner could take this off again; what keeps the entries true is the chain.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_entry FROM CURRENT_USER;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an entry of the audit trail is not changed and not removed';
END $$;
CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_entry FOR SELECT USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
CREATE POLICY tenant_adds ON audit_entry FOR INSERT WITH CHECK (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE audit_chain ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_chain FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_chain USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
-- For the job that notes the heads of all chains in the log.
CREATE POLICY background ON audit_chain FOR SELECT USING (current_setting('bv.tenants', true) = '*');
