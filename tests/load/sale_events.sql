-- A flash sale's begin as the product service announces it.
INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)
SELECT :tenant::text, id, 'ecommerce.pricing.flash_sale', 'prd_' || id, 'ecommerce.pricing.flash_sale.started.v1',
       '{"eventId":"' || id || '","eventType":"ecommerce.pricing.flash_sale.started.v1","occurredAt":'
       || left(to_json(clock_timestamp() AT TIME ZONE 'UTC')::text, -1) || 'Z"'
       || ',"producer":"product-service","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","correlationId":"bench","schemaVersion":"1.0",'
       || '"partitionKey":"prd_' || id || '","payload":{"insertedAt":' || extract(epoch FROM clock_timestamp())
       || ',"saleId":"sal_' || id || '","productId":"prd_' || id || '","name":"Spring","offers":[]}}', 1
FROM (SELECT gen_random_uuid() AS id) AS made;
