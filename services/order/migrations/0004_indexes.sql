-- IS NOT NULL keeps each from being taken for queries that are not by its second column: on tables that were empty when a query was planned,
-- an order was looked up by its id among all of its tenant's.
DROP INDEX orders_by_user;
CREATE INDEX orders_by_user ON orders (tenant_id, user_id, order_id) WHERE user_id IS NOT NULL;
DROP INDEX orders_by_reservation;
CREATE UNIQUE INDEX orders_by_reservation ON orders (tenant_id, reservation_id) WHERE reservation_id IS NOT NULL;
