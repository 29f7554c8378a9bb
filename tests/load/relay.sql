-- An event as a service writes it, at a rate; `client_id` and `turn` name it.
\set turn :turn + 1
INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)
VALUES ('bench', gen_random_uuid(), :topic, :run || '-' || :client_id || '-' || :turn, :topic || '.happened.v1',
        '{"insertedAt":' || extract(epoch FROM clock_timestamp()) || ',"filler":"' || repeat('x', 400) || '"}', 1);
