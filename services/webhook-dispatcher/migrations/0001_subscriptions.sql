-- Which events of a tenant go where.
CREATE TABLE webhook_subscription (
  tenant_id             text   NOT NULL,
  subscription_id       text   NOT NULL,
  url                   text   NOT NULL,
  -- Types, or their beginnings with a "*" for the rest.
  event_types           text[] NOT NULL CHECK (cardinality(event_types) BETWEEN 1 AND 50),
  description           text   NOT NULL,
  status                text   NOT NULL CHECK (status IN ('ACTIVE', 'PAUSED', 'DISABLED')),
  disabled_reason       text   CHECK ((disabled_reason IS NOT NULL) = (status = 'DISABLED') AND disabled_reason IN ('GONE', 'FAILING')),
  delivery_order        text   NOT NULL CHECK (delivery_order IN ('ANY', 'FIFO')),
  -- As they are, since deliveries are signed with them; empty once the subscription is deleted.
  secret                text   NOT NULL,
  previous_secret       text   NOT NULL DEFAULT '',
  previous_secret_until timestamptz CHECK ((previous_secret_until IS NOT NULL) = (previous_secret <> '')),
  version               bigint NOT NULL DEFAULT 1,
  created_at            timestamptz NOT NULL DEFAULT now(),
  updated_at            timestamptz NOT NULL DEFAULT now(),
  -- The row of a deleted one stays for a while, so that every replica hears of it.
  deleted_at            timestamptz CHECK (deleted_at IS NULL OR (secret = '' AND previous_secret = '')),
  change                bigint NOT NULL,
  -- Ids sort by time, so this is also the list, oldest first.
  PRIMARY KEY (tenant_id, subscription_id)
);

-- Changes of all tenants, in the order of their commits, so that whoever has read up to one has missed none before it: the number is taken
-- while no other change is between its number and its commit. They are few.
CREATE SEQUENCE webhook_subscription_change;
CREATE UNIQUE INDEX webhook_subscription_by_change ON webhook_subscription (change);
CREATE FUNCTION number_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('webhook_subscription.change'));
  new.change := nextval('webhook_subscription_change');
  RETURN new;
END $$;
CREATE TRIGGER change_is_numbered BEFORE INSERT OR UPDATE ON webhook_subscription FOR EACH ROW EXECUTE FUNCTION number_change();

-- Who did what to a subscription; without secrets. Rows are only ever added, and go with the row of the subscription.
CREATE TABLE webhook_subscription_audit (
  tenant_id       text   NOT NULL,
  subscription_id text   NOT NULL,
  number          bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at              timestamptz NOT NULL DEFAULT now(),
  -- A user, or this service.
  actor           text   NOT NULL,
  action          text   NOT NULL CHECK (action IN ('CREATED', 'UPDATED', 'DELETED', 'PAUSED', 'RESUMED', 'SECRET_ROTATED', 'DISABLED', 'TEST_SENT',
                                                    'REDELIVERED')),
  detail          text   NOT NULL,
  correlation_id  text   NOT NULL,
  PRIMARY KEY (tenant_id, subscription_id, number)
);

-- What a request under an Idempotency-Key led to.
CREATE TABLE idempotency_record (
  tenant_id    text NOT NULL,
  user_id      text NOT NULL,
  -- SHA-256 of the key and of the request, hexadecimal.
  key_hash     text NOT NULL,
  request_hash text NOT NULL,
  -- The id of what was made, or how many.
  result       text NOT NULL DEFAULT '',
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id, key_hash)
);
CREATE INDEX idempotency_record_by_age ON idempotency_record (tenant_id, created_at);

ALTER TABLE webhook_subscription ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_subscription FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_subscription USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
-- For those that keep the subscriptions of all tenants in memory.
CREATE POLICY background ON webhook_subscription FOR SELECT USING (current_setting('bv.tenants', true) = '*');
ALTER TABLE webhook_subscription_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_subscription_audit FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_subscription_audit USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE idempotency_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_record FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_record USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
