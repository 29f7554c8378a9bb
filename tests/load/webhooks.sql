-- Whole events of a tenant, as payment-adapter writes them, so many in a transaction; run, `client_id`, `turn` and a number name each.
\set turn :turn + 1
WITH event AS MATERIALIZED (
  SELECT gen_random_uuid() AS id, :run || '-' || :client_id || '-' || :turn || '-' || number AS key FROM generate_series(1, :events) AS number)
INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)
SELECT :tenant, id, 'ecommerce.payment.payment', key, 'ecommerce.payment.payment.failed.v1',
       '{"eventId":"' || id || '","eventType":"ecommerce.payment.payment.failed.v1","occurredAt":'
         || left(to_json(now() AT TIME ZONE 'UTC')::text, -1) || 'Z"'
         || ',"producer":"payment-adapter","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","correlationId":"bench","schemaVersion":"1.0",'
         || '"partitionKey":"' || key
         || '","payload":{"paymentId":"pay_01hf7yat00fytbh9k0vn3k5d6c","orderId":"ord_01hf7yat00fytbh9k0vn3k5d6c","amount":50.00,'
         || '"currency":"USD","method":"CARD","gateway":"SOAP","reason":"declined"}}', 1
FROM event;
