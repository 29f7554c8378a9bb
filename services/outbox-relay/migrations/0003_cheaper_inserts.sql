-- What a row of the outbox costs beside its own bytes.

-- The same names as before. A counted {1,249} is unrolled by PostgreSQL's regular expressions: it took 24 of an insert's 32 µs.
ALTER TABLE outbox.event
  DROP CONSTRAINT event_aggregatetype_check,
  ADD CONSTRAINT event_aggregatetype_check CHECK (aggregatetype ~ '^[a-zA-Z0-9._-]+$' AND octet_length(aggregatetype) <= 249);

-- Makes the partitions of today and `days` more, UTC. Returns how many were made.
-- Made apart and attached, which does not stop writers; CREATE … PARTITION OF would. Without autovacuum: rows are never changed, nobody
-- plans by their statistics, and the table is dropped before it would have to be frozen.
CREATE OR REPLACE FUNCTION outbox.make_partitions(days integer) RETURNS integer
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
      EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)'
                     ' WITH (autovacuum_enabled = false)', name);
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
