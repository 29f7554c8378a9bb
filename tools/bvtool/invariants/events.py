"""Events: each change that is announced is announced once. The outbox drops old days, so only what is younger is looked at."""

from .invariant import Invariant
from .orders import HISTORY
from .stock import RESERVATION

EVENT = "outbox.event"

# The first moment of the oldest day that is still there; never, where there is none.
SINCE = f"""(SELECT coalesce(min(to_date(right(c.relname, 8), 'YYYYMMDD'))::timestamp AT TIME ZONE 'UTC', 'infinity')
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = '{EVENT}'::regclass AND c.relname ~ '^event_[0-9]{{8}}$')"""

ORDER_EVENTS = Invariant(
    "order-events", "events", "every change of an order was announced, once, and nothing else was", EVENT, f"""
      SELECT tenant_id, order_id AS subject,
             format('order %s has %s events %s, its history wants %s', order_id, coalesce(m.count, 0), event, coalesce(w.count, 0)) AS text
      FROM (SELECT tenant_id, order_id, event, count(*) AS count
            FROM (SELECT *, lag(status) OVER past AS old_status, lag(payment_status) OVER past AS old_payment
                  FROM {HISTORY} WINDOW past AS (PARTITION BY tenant_id, order_id ORDER BY version)) h
            CROSS JOIN LATERAL (VALUES
              ('created', version = 1),
              ('paid', payment_status = 'PAID' AND old_payment IS DISTINCT FROM 'PAID'),
              ('canceled', status = 'CANCELED' AND old_status IS DISTINCT FROM 'CANCELED'),
              ('fulfilled', status = 'FULFILLED' AND old_status IS DISTINCT FROM 'FULFILLED'),
              ('status_changed', version > 1)) AS e (event, due)
            WHERE due AND at >= {SINCE}
            GROUP BY 1, 2, 3) w
      FULL JOIN (SELECT tenant_id, aggregateid AS order_id, split_part(type, '.', 4) AS event, count(*) AS count
                 FROM {EVENT} WHERE type LIKE 'ecommerce.order.order.%' AND occurred_at >= {SINCE} GROUP BY 1, 2, 3) m
        USING (tenant_id, order_id, event)
      WHERE coalesce(w.count, 0) <> coalesce(m.count, 0)""",
    "Those who follow the events do not know the order as it is: they miss a change, or act on one twice.", (HISTORY,))

# A cart's hold may expire once for every version of its item.
EXPIRY_EVENTS = Invariant(
    "expiry-events", "events", "every hold that expired was announced, once", RESERVATION, f"""
      SELECT tenant_id, reservation_id AS subject,
             format('reservation %s is %s and has %s events of its expiry', reservation_id, coalesce(r.status, 'not there'),
                    coalesce(e.count, 0)) AS text
      FROM (SELECT tenant_id, reservation_id, coalesce(item_version, 0) AS item_version, status
            FROM {RESERVATION} WHERE status = 'EXPIRED' AND expires_at >= {SINCE}) r
      FULL JOIN (SELECT tenant_id, aggregateid AS reservation_id,
                        coalesce((payload::json -> 'payload' ->> 'itemVersion')::bigint, 0) AS item_version,
                        count(*) AS count
                 FROM {EVENT} WHERE type = 'ecommerce.inventory.reservation.expired.v1' AND occurred_at >= {SINCE} GROUP BY 1, 2, 3) e
        USING (tenant_id, reservation_id, item_version)
      WHERE (r.status IS NOT NULL AND e.count IS DISTINCT FROM 1) OR e.count > 1""",
    "An order whose stock is gone may never be cancelled.", (EVENT,))

ALL = (ORDER_EVENTS, EXPIRY_EVENTS)
