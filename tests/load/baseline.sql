-- An order as one transaction of its own, written straight to PostgreSQL: the floor under any design without batches.
\set sku random(1, 100)
BEGIN;
UPDATE bench.stock SET reserved = reserved + 1 WHERE sku = :sku AND on_hand - reserved >= 1;
INSERT INTO bench.ledger (sku, delta) VALUES (:sku, -1);
WITH placed AS (INSERT INTO bench.orders (user_id, total) VALUES ('ada', 2500) RETURNING id)
INSERT INTO bench.items (order_id, sku, qty, price) SELECT id, :sku, 1, 2500 FROM placed;
INSERT INTO bench.history (status) VALUES ('PENDING');
INSERT INTO bench.outbox (payload) VALUES (repeat('x', 500));
COMMIT;
