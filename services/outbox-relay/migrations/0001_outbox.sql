-- The outbox: each row is an event that a service wrote in the transaction of the change it announces. Rows are only ever inserted;
-- outbox-relay reads them from the write-ahead log, and drops whole days when they are old and acknowledged.

CREATE TABLE outbox.event (
  tenant_id         text        NOT NULL,
  id                uuid        NOT NULL,
  -- Kafka's topic. The pattern is Kafka's own: a name that it refuses would stop everything behind it in the log.
  aggregatetype     text        NOT NULL CHECK (aggregatetype ~ '^[a-zA-Z0-9._-]{1,249}$'),
  -- Kafka's key: all events of one id stay in order.
  aggregateid       text        NOT NULL CHECK (octet_length(aggregateid) BETWEEN 1 AND 512),
  -- The event type: ecommerce.order.order.created.v1
  type              text        NOT NULL CHECK (octet_length(type) BETWEEN 1 AND 249),
  -- The whole envelope. text, because jsonb would space it anew and Kafka gets these very bytes. Kafka takes 1 MiB a record.
  payload           text        NOT NULL CHECK (octet_length(payload) <= 1000000),
  -- Taken while the aggregate's row is locked, so the events of one aggregate are numbered in the order of their commits. Between
  -- aggregates it is not the order of commits.
  seq               bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  aggregate_version bigint,
  occurred_at       timestamptz NOT NULL DEFAULT now(),
  traceparent       text        CHECK (octet_length(traceparent) <= 256),
  correlation_id    text        CHECK (octet_length(correlation_id) <= 256),
  PRIMARY KEY (tenant_id, id, occurred_at)
) PARTITION BY RANGE (occurred_at);

-- The net below: rows whose day has no partition are published like all others.
CREATE TABLE outbox.event_default PARTITION OF outbox.event DEFAULT;

-- Writers see nothing and write for their tenants only; the owner, who publishes for all, is not bound (no FORCE).
ALTER TABLE outbox.event ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON outbox.event
  USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]))
  WITH CHECK (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), ','))::text[]));
GRANT USAGE ON SCHEMA outbox TO bv_product, bv_cart, bv_order, bv_inventory;
GRANT INSERT ON outbox.event TO bv_product, bv_cart, bv_order, bv_inventory;

CREATE PUBLICATION bv_outbox FOR TABLE outbox.event WITH (publish = 'insert', publish_via_partition_root = true);

-- What a relay has to remember of its slot. A slot that is made anew starts at "now": everything retained is published again first.
CREATE TABLE outbox.slot (
  slot_name      text        PRIMARY KEY,
  rescan_pending boolean     NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now()
);

-- A partition as it was seen once all of its time had passed: how many rows, and a position of the log behind all of them.
CREATE TABLE outbox.seal (
  partition_name text   PRIMARY KEY,
  row_count      bigint NOT NULL,
  sealed_at      pg_lsn NOT NULL
);

-- Makes the partitions of today and `days` more, UTC. Returns how many were made.
-- Made apart and attached, which does not stop writers; CREATE … PARTITION OF would.
CREATE FUNCTION outbox.make_partitions(days integer) RETURNS integer
LANGUAGE plpgsql SET search_path = outbox, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
  day   date;
  name  text;
  made  integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('outbox.make_partitions'));
  FOR offset_days IN 0 .. days LOOP
    day := today + offset_days;
    name := 'event_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass('outbox.' || name) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
      EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
                     day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
      made := made + 1;
    EXCEPTION
      WHEN check_violation THEN
        RAISE WARNING 'rows of % are in outbox.event_default already and stay there', day;
      WHEN lock_not_available THEN
        RAISE WARNING 'partition of % not made, the outbox is busy; tried again later', day;
    END;
  END LOOP;
  RETURN made;
END $$;

-- The partitions whose newest possible row is older than `retention`; the default one when all of its rows are.
CREATE FUNCTION outbox.old_partitions(retention interval) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = outbox, pg_temp AS $$
BEGIN
  RETURN QUERY
    SELECT c.relname::text
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'outbox.event'::regclass
      AND c.relname ~ '^event_[0-9]{8}$'
      AND (to_date(right(c.relname, 8), 'YYYYMMDD') + 1)::timestamp AT TIME ZONE 'UTC' <= now() - retention
    ORDER BY c.relname;
  IF EXISTS (SELECT FROM event_default)
     AND NOT EXISTS (SELECT FROM event_default WHERE occurred_at > now() - retention) THEN
    RETURN NEXT 'event_default';
  END IF;
END $$;

-- Notes for every old partition what is in it. A row that comes later still, from a transaction that was open or a clock that is
-- wrong, shows in the count and the partition is sealed again.
CREATE FUNCTION outbox.seal_partitions(retention interval) RETURNS void
LANGUAGE plpgsql SET search_path = outbox, pg_temp AS $$
DECLARE
  name text;
  rows bigint;
BEGIN
  FOR name IN SELECT outbox.old_partitions(retention) LOOP
    EXECUTE format('SELECT count(*) FROM %I', name) INTO rows;
    -- After the count: every counted row was committed before this position.
    INSERT INTO seal AS s (partition_name, row_count, sealed_at)
    VALUES (name, rows, pg_current_wal_insert_lsn())
    ON CONFLICT (partition_name) DO UPDATE
      SET row_count = excluded.row_count, sealed_at = excluded.sealed_at
      WHERE s.row_count <> excluded.row_count;
  END LOOP;
END $$;

-- Drops one old partition of which the slot has confirmed everything, and returns its name; NULL when there is none. One a call,
-- so that writers wait for one drop at most, and no longer than lock_timeout for it to begin.
CREATE FUNCTION outbox.drop_partition(retention interval, slot name) RETURNS text
LANGUAGE plpgsql SET search_path = outbox, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  candidate seal;
  rows      bigint;
BEGIN
  SELECT s.* INTO candidate
  FROM seal s
  JOIN pg_replication_slots r ON r.slot_name = slot AND r.confirmed_flush_lsn >= s.sealed_at
  JOIN outbox.slot o ON o.slot_name = slot AND NOT o.rescan_pending
  WHERE s.partition_name IN (SELECT outbox.old_partitions(retention))
  ORDER BY s.partition_name
  LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- With the lock no transaction that wrote here is open any more.
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', candidate.partition_name);
  EXECUTE format('SELECT count(*) FROM %I', candidate.partition_name) INTO rows;
  DELETE FROM seal WHERE partition_name = candidate.partition_name;
  IF rows <> candidate.row_count THEN
    RETURN NULL;
  END IF;
  IF candidate.partition_name = 'event_default' THEN
    TRUNCATE event_default;
  ELSE
    EXECUTE format('DROP TABLE %I', candidate.partition_name);
  END IF;
  RETURN candidate.partition_name;
EXCEPTION
  WHEN lock_not_available THEN
    RETURN NULL;
END $$;
