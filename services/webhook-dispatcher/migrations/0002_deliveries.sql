-- What is to be sent, what was, and how it ended: the truth of every delivery. RabbitMQ only says when to look.
CREATE TABLE webhook_delivery (
  tenant_id       text        NOT NULL,
  delivery_id     text        NOT NULL,
  subscription_id text        NOT NULL,
  event_id        text        NOT NULL,
  event_type      text        NOT NULL,
  -- The event's envelope, byte for byte what is sent.
  body            text        NOT NULL,
  -- Counts the deliveries of a subscription, without gaps.
  sequence        bigint      NOT NULL,
  -- QUEUED: a message of RabbitMQ leads to the next attempt. DEFERRED: it is taken from here, in the order of the sequence.
  status          text        NOT NULL CHECK (status IN ('QUEUED', 'DEFERRED', 'DELIVERED', 'FAILED', 'CANCELED')),
  attempts_made   int         NOT NULL DEFAULT 0,
  -- Of the next attempt.
  due_at          timestamptz NOT NULL DEFAULT now(),
  created_at      timestamptz NOT NULL DEFAULT now(),
  ended_at        timestamptz CHECK ((ended_at IS NULL) = (status IN ('QUEUED', 'DEFERRED'))),
  -- The delivery that this one repeats, or empty.
  redelivery_of   text        NOT NULL DEFAULT '',
  PRIMARY KEY (tenant_id, delivery_id)
);
CREATE INDEX webhook_delivery_log ON webhook_delivery (tenant_id, created_at, delivery_id);
CREATE INDEX webhook_delivery_log_of_subscription ON webhook_delivery (tenant_id, subscription_id, created_at, delivery_id);
CREATE INDEX webhook_delivery_deferred ON webhook_delivery (tenant_id, subscription_id, sequence) WHERE status = 'DEFERRED';
-- For the search for deliveries whose message was lost.
CREATE INDEX webhook_delivery_queued ON webhook_delivery (due_at) WHERE status = 'QUEUED';

CREATE TABLE webhook_delivery_attempts (
  tenant_id      text        NOT NULL,
  delivery_id    text        NOT NULL,
  -- From 1.
  number         int         NOT NULL,
  at             timestamptz NOT NULL,
  latency_millis int         NOT NULL,
  -- The answer's HTTP status; 0 when there was none.
  status         int         NOT NULL,
  -- Empty after a success.
  error_class    text        NOT NULL,
  detail         text        NOT NULL,
  -- The first 1,024 bytes at most, what looks like a secret replaced.
  answer         text        NOT NULL,
  PRIMARY KEY (tenant_id, delivery_id, number)
);

-- What is known of a subscription's receiver.
CREATE TABLE webhook_endpoint (
  tenant_id       text   NOT NULL,
  subscription_id text   NOT NULL,
  last_sequence   bigint NOT NULL DEFAULT 0,
  -- Since when every attempt has failed; absent after a success.
  failing_since   timestamptz,
  PRIMARY KEY (tenant_id, subscription_id)
);

ALTER TABLE webhook_delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_delivery FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_delivery USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
-- For the search for what waits, and for what is to be deleted.
CREATE POLICY background ON webhook_delivery FOR SELECT USING (current_setting('bv.tenants', true) = '*');
ALTER TABLE webhook_delivery_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_delivery_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_delivery_attempts USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
ALTER TABLE webhook_endpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_endpoint FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_endpoint USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
