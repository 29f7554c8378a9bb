-- A shop whose books are right, for tests that then spoil them: `count` orders, in each state that an order comes to, with their stock,
-- ledger, history, shipments, payments and events, all as the services write them.
--   psql -v count=12 -f sound_shop.sql
CREATE TABLE public.planned AS
SELECT 'shop' AS tenant_id, format('ord_%s', lpad(n::text, 8, '0')) AS order_id, 'SKU-' || n % 10 AS sku, 1 + n % 3 AS qty,
       (ARRAY['held', 'paid', 'fulfilled', 'canceled', 'expired', 'on_delivery', 'refunded'])[1 + n % 7] AS kind
FROM generate_series(1, :count) AS n;

INSERT INTO orders.orders (tenant_id, order_id, user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency,
                           email, shipping_address, version, payment_id)
SELECT tenant_id, order_id, 'ada',
       CASE WHEN kind = 'paid' THEN 'PAID' WHEN kind = 'fulfilled' THEN 'FULFILLED'
            WHEN kind IN ('canceled', 'expired', 'refunded') THEN 'CANCELED' ELSE 'PENDING' END,
       CASE WHEN kind IN ('paid', 'fulfilled') THEN 'PAID' WHEN kind = 'refunded' THEN 'REFUNDED'
            WHEN kind = 'on_delivery' THEN 'DUE_ON_DELIVERY' ELSE 'PENDING' END,
       CASE kind WHEN 'fulfilled' THEN 'SHIPPED' ELSE 'UNFULFILLED' END,
       CASE kind WHEN 'on_delivery' THEN 'CASH_ON_DELIVERY' ELSE 'CARD' END,
       qty * 250, 'USD', 'ada@example.com', array_fill(''::text, ARRAY[8]),
       CASE WHEN kind IN ('held', 'on_delivery') THEN 1 WHEN kind IN ('fulfilled', 'refunded') THEN 3 ELSE 2 END,
       CASE WHEN kind IN ('paid', 'fulfilled', 'refunded') THEN 'pay_' || order_id ELSE '' END
FROM public.planned;

INSERT INTO orders.order_items (tenant_id, order_id, position, product_id, variant_id, sku, title, qty, price)
SELECT tenant_id, order_id, 0, 'prd_1', 'var_' || sku, sku, 'A thing', qty, 250 FROM public.planned;

-- SKU-2 is in a flash sale of ten pieces.
BEGIN;
INSERT INTO product.product (tenant_id, product_id, title, description, status, created_at, updated_at)
VALUES ('shop', 'prd_1', 'A thing', '', 'ACTIVE', now(), now());
INSERT INTO product.variant (tenant_id, variant_id, product_id, position, sku, fulfillment_type, status, created_at)
SELECT 'shop', 'var_SKU-' || n, 'prd_1', n, 'SKU-' || n, 'PHYSICAL', 'ACTIVE', now() FROM generate_series(0, 9) AS n;
INSERT INTO product.product_price_history (tenant_id, variant_id, valid_from, price, currency)
SELECT tenant_id, variant_id, created_at, 1000, 'USD' FROM product.variant;
COMMIT;
INSERT INTO product.flash_sale (tenant_id, sale_id, product_id, name, starts_at, ends_at, actor, created_at, quantity_limit)
VALUES ('shop', 'fsl_1', 'prd_1', 'Spring', now() - interval '1 day', now() + interval '1 day', 'sam', now() - interval '1 day', 10);
INSERT INTO product.flash_sale_offer (tenant_id, sale_id, variant_id, position, price, currency, starts_at, ends_at, limited)
SELECT tenant_id, sale_id, 'var_SKU-2', 0, 250, 'USD', starts_at, ends_at, true FROM product.flash_sale;

INSERT INTO orders.idempotency_record (tenant_id, user_id, key_hash, request_hash, order_id)
SELECT tenant_id, 'ada', order_id, order_id, order_id FROM public.planned;

INSERT INTO orders.order_status_history (tenant_id, order_id, version, status, payment_status, fulfillment_status, actor, reason)
SELECT o.tenant_id, o.order_id, v,
       CASE WHEN v = o.version THEN o.status WHEN v = 1 THEN 'PENDING' ELSE 'PAID' END,
       CASE WHEN v = o.version THEN o.payment_status WHEN v = 1 THEN 'PENDING' ELSE 'PAID' END,
       CASE WHEN v = o.version THEN o.fulfillment_status ELSE 'UNFULFILLED' END, 'ada', 'TEST'
FROM orders.orders o CROSS JOIN LATERAL generate_series(1, o.version) AS v;

INSERT INTO orders.shipment (tenant_id, order_id, shipment_id, vendor_id, status, carrier, tracking_number)
SELECT tenant_id, order_id, 'shp_' || order_id, '', 'SHIPPED', 'Post', '1' FROM public.planned WHERE kind = 'fulfilled';
INSERT INTO orders.shipment_item (tenant_id, order_id, shipment_id, sku, qty)
SELECT tenant_id, order_id, 'shp_' || order_id, sku, qty FROM public.planned WHERE kind = 'fulfilled';

INSERT INTO inventory.reservation (tenant_id, reservation_id, user_id, status, holder, expires_at)
SELECT tenant_id, order_id, 'ada',
       CASE WHEN kind = 'held' THEN 'HELD' WHEN kind = 'fulfilled' THEN 'SHIPPED' WHEN kind IN ('canceled', 'refunded') THEN 'RELEASED'
            WHEN kind = 'expired' THEN 'EXPIRED' ELSE 'COMMITTED' END,
       'ORDER', CASE kind WHEN 'expired' THEN now() ELSE now() + interval '1 hour' END
FROM public.planned;
INSERT INTO inventory.reservation_line (tenant_id, reservation_id, sku, location_code, qty, shipped)
SELECT tenant_id, order_id, line, 'MAIN', qty, CASE kind WHEN 'fulfilled' THEN qty ELSE 0 END
FROM public.planned CROSS JOIN LATERAL (VALUES (sku, true), ('quota:fsl_1', sku = 'SKU-2')) AS l (line, taken)
WHERE taken;

-- What came in, what was reserved, and what was given back or went out.
WITH planned_lines AS (
  SELECT l.tenant_id, p.order_id, l.sku, l.qty, p.kind
  FROM inventory.reservation_line l JOIN public.planned p ON p.tenant_id = l.tenant_id AND p.order_id = l.reservation_id
)
INSERT INTO inventory.inventory_adjustment (tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, reason, reservation_id,
                                            user_id)
SELECT 'shop', 'adj_in_' || n, 'SKU-' || n, 'MAIN', 1000000, 0, 'RECEIVED', NULL, 'sam' FROM generate_series(0, 9) AS n
UNION ALL
SELECT 'shop', 'adj_in_quota', 'quota:fsl_1', 'MAIN', 10, 0, 'FLASH_SALE', NULL, 'product-service'
UNION ALL
SELECT tenant_id, format('adj_1_%s_%s', order_id, sku), sku, 'MAIN', 0, qty, 'RESERVED', order_id, 'ada' FROM planned_lines
UNION ALL
SELECT tenant_id, format('adj_2_%s_%s', order_id, sku), sku, 'MAIN', CASE kind WHEN 'fulfilled' THEN -qty ELSE 0 END, -qty,
       CASE kind WHEN 'fulfilled' THEN 'SHIPPED' ELSE 'RELEASED' END, order_id, 'ada'
FROM planned_lines WHERE kind IN ('fulfilled', 'canceled', 'expired', 'refunded');

INSERT INTO inventory.inventory_stock (tenant_id, sku, location_code, product_id, on_hand, reserved)
SELECT tenant_id, sku, location_code, 'prd_1', sum(on_hand_delta), sum(reserved_delta)
FROM inventory.inventory_adjustment GROUP BY 1, 2, 3;

INSERT INTO payment.payments (tenant_id, payment_id, order_id, amount, currency, method, status, gateway)
SELECT tenant_id, payment_id, order_id, total_amount, currency, payment_method,
       CASE payment_status WHEN 'PAID' THEN 'SUCCEEDED' ELSE 'REFUNDED' END, 'SOAP'
FROM orders.orders WHERE payment_id <> '';

SELECT outbox.make_partitions(1) \g /dev/null
INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)
SELECT tenant_id, gen_random_uuid(), 'ecommerce.order.order', order_id, 'ecommerce.order.order.' || event || '.v1', '{}', version
FROM (SELECT tenant_id, order_id, 'created' AS event, 1 AS version FROM public.planned
      UNION ALL SELECT tenant_id, order_id, 'status_changed', version FROM orders.order_status_history WHERE version > 1
      UNION ALL SELECT tenant_id, order_id, 'paid', 2 FROM public.planned WHERE kind IN ('paid', 'fulfilled', 'refunded')
      UNION ALL SELECT tenant_id, order_id, 'fulfilled', 3 FROM public.planned WHERE kind = 'fulfilled'
      UNION ALL SELECT tenant_id, order_id, 'canceled', version FROM orders.orders WHERE status = 'CANCELED') AS e;
INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload)
SELECT tenant_id, gen_random_uuid(), 'ecommerce.inventory.reservation', order_id, 'ecommerce.inventory.reservation.expired.v1', '{}'
FROM public.planned WHERE kind = 'expired'
UNION ALL
SELECT tenant_id, gen_random_uuid(), 'ecommerce.payment.payment', order_id, 'ecommerce.payment.payment.' || event || '.v1', '{}'
FROM payment.payments
CROSS JOIN LATERAL (VALUES ('succeeded', true), ('refunded', status = 'REFUNDED')) AS e (event, due)
WHERE due;
