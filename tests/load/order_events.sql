-- An order's creation as the order service announces it, for one of some customers.
\set user random(0, :users - 1)
INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)
SELECT :tenant::text, id, 'ecommerce.order.order', 'ord_' || id, 'ecommerce.order.order.created.v1',
       '{"eventId":"' || id || '","eventType":"ecommerce.order.order.created.v1","occurredAt":'
       || left(to_json(clock_timestamp() AT TIME ZONE 'UTC')::text, -1) || 'Z"'
       || ',"producer":"order-service","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","correlationId":"bench","schemaVersion":"1.0",'
       || '"partitionKey":"ord_' || id || '","payload":{"insertedAt":' || extract(epoch FROM clock_timestamp())
       || ',"orderId":"ord_' || id || '","userId":"user-' || :user::text
       || '","totalAmount":50.00,"currency":"USD","items":[{"productId":"P1","qty":2,"price":25.00}]}}', 1
FROM (SELECT gen_random_uuid() AS id) AS made;
