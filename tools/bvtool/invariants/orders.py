"""Orders: their stock, items, totals, history, shipments and processes."""

from .invariant import Invariant
from .stock import LEDGER, LINE, ORDERS, RESERVATION

ITEMS = "orders.order_items"
HISTORY = "orders.order_status_history"
KEYS = "orders.idempotency_record"
SHIPMENT = "orders.shipment"
SHIPMENT_ITEM = "orders.shipment_item"
PROCESS = "orders.order_process"

ONE_ORDER_A_RESERVATION = Invariant(
    "one-order-a-hold", "orders", "no reservation serves two orders", ORDERS, f"""
      SELECT tenant_id, coalesce(reservation_id, order_id) AS subject,
             format('reservation %s serves %s orders: %s', coalesce(reservation_id, order_id), count(*),
                    string_agg(order_id, ', ' ORDER BY order_id)) AS text
      FROM {ORDERS} GROUP BY tenant_id, coalesce(reservation_id, order_id) HAVING count(*) > 1""",
    "The same stock was sold twice.")

# The states that fit, by the order's state; with a process under way, what the process may have reached counts too.
_FITS = """CASE
        WHEN o.status = 'CANCELED' THEN r.status IN ('RELEASED', 'EXPIRED')
        WHEN o.status = 'FULFILLED' THEN r.status = 'SHIPPED'
        WHEN o.status = 'PAID' THEN
          r.status = 'COMMITTED' OR (r.status = 'RELEASED' AND p.kind = 'CANCEL') OR (r.status = 'SHIPPED' AND p.kind = 'FULFILL')
        WHEN p.kind IS NOT NULL THEN r.status <> 'SHIPPED' OR o.payment_method = 'CASH_ON_DELIVERY'
        WHEN r.status IN ('EXPIRED', 'RELEASED') THEN
          coalesce(given.at, r.expires_at) >= now() - :'grace'::interval
        WHEN o.payment_method = 'CASH_ON_DELIVERY' THEN
          r.status = CASE WHEN o.fulfillment_status IN ('SHIPPED', 'DELIVERED') THEN 'SHIPPED' ELSE 'COMMITTED' END
        ELSE r.status = 'HELD' END"""

ORDER_HAS_ITS_STOCK = Invariant(
    "order-stock", "orders", "every order has its reservation, in the state that fits its own", ORDERS, f"""
      SELECT o.tenant_id, o.order_id AS subject,
             format('order %s is %s (%s, payment %s%s), but its reservation %s is %s', o.order_id, o.status, o.payment_method,
                    o.payment_status, CASE WHEN p.kind IS NULL THEN '' ELSE ', ' || p.kind || ' under way' END,
                    coalesce(o.reservation_id, o.order_id), coalesce(r.status, 'not there')) AS text
      FROM {ORDERS} o
      LEFT JOIN {RESERVATION} r ON r.tenant_id = o.tenant_id AND r.reservation_id = coalesce(o.reservation_id, o.order_id)
      LEFT JOIN {PROCESS} p ON p.tenant_id = o.tenant_id AND p.order_id = o.order_id
      LEFT JOIN (SELECT tenant_id, reservation_id, max(created_at) AS at FROM {LEDGER} WHERE reserved_delta < 0 GROUP BY 1, 2) given
        ON given.tenant_id = r.tenant_id AND given.reservation_id = r.reservation_id
      WHERE ({_FITS}) IS NOT TRUE""",
    "PENDING without stock: it should have been cancelled. PAID without stock: somebody paid for what is gone. CANCELED with stock: it"
    " cannot be sold.", (RESERVATION, LEDGER, PROCESS))

ORDER_HAS_ITS_QUANTITIES = Invariant(
    "order-quantities", "orders", "an order's reservation has the quantities of its items", ORDERS, f"""
      SELECT tenant_id, order_id AS subject,
             format('order %s, SKU %s: %s ordered, %s reserved', order_id, sku, coalesce(i.qty, 0), coalesce(l.qty, 0)) AS text
      FROM (SELECT tenant_id, order_id, sku, sum(qty) AS qty FROM {ITEMS} GROUP BY 1, 2, 3) i
      FULL JOIN (SELECT o.tenant_id, o.order_id, l.sku, sum(l.qty) AS qty
                 FROM {ORDERS} o JOIN {LINE} l ON l.tenant_id = o.tenant_id AND l.reservation_id = coalesce(o.reservation_id, o.order_id)
                 WHERE l.sku NOT LIKE 'quota:%' GROUP BY 1, 2, 3) l USING (tenant_id, order_id, sku)
      WHERE coalesce(i.qty, 0) <> coalesce(l.qty, 0)""",
    "The reservation was made for another request, or a line was lost.", (ITEMS, LINE))

TOTAL_IS_ITS_ITEMS = Invariant(
    "order-total", "orders", "an order's total is the sum of its items", ORDERS, f"""
      SELECT o.tenant_id, o.order_id AS subject,
             format('order %s: total %s %s (minor units), its items add up to %s', o.order_id, o.total_amount, o.currency,
                    coalesce(i.amount, 0)) AS text
      FROM {ORDERS} o
      LEFT JOIN (SELECT tenant_id, order_id, sum(qty * price) AS amount FROM {ITEMS} GROUP BY 1, 2) i USING (tenant_id, order_id)
      WHERE o.total_amount <> coalesce(i.amount, 0) OR i.amount IS NULL""",
    "An item was lost or doubled, or a price was changed after the order was placed.", (ITEMS,))

HISTORY_IS_COMPLETE = Invariant(
    "history", "orders", "an order's history has every version, and ends in its state", ORDERS, f"""
      SELECT o.tenant_id, o.order_id AS subject,
             CASE WHEN h.entries IS NULL THEN format('order %s has no history', o.order_id)
                  WHEN (h.first, h.last, h.entries) <> (1, o.version, o.version)
                  THEN format('order %s has version %s, its history %s entries from %s to %s', o.order_id, o.version, h.entries, h.first,
                              h.last)
                  ELSE format('order %s is %s, %s, %s; its history ends with %s', o.order_id, o.status, o.payment_status,
                              o.fulfillment_status, concat_ws(', ', n.status, n.payment_status, n.fulfillment_status)) END AS text
      FROM {ORDERS} o
      LEFT JOIN (SELECT tenant_id, order_id, min(version) AS first, max(version) AS last, count(*) AS entries FROM {HISTORY}
                 GROUP BY 1, 2) h USING (tenant_id, order_id)
      LEFT JOIN {HISTORY} n ON n.tenant_id = o.tenant_id AND n.order_id = o.order_id AND n.version = o.version
      WHERE (h.first, h.last, h.entries) IS DISTINCT FROM (1::bigint, o.version, o.version)
         OR (n.status, n.payment_status, n.fulfillment_status)
            IS DISTINCT FROM (o.status, o.payment_status, o.fulfillment_status)""",
    "A change was written without its history, or a state was changed by hand.", (HISTORY,))

STATES_FIT = Invariant(
    "order-states", "orders", "an order's state, payment and shipments fit each other", ORDERS, f"""
      SELECT tenant_id, order_id AS subject,
             format('order %s is %s, payment %s, %s (%s)', order_id, status, payment_status, fulfillment_status, payment_method) AS text
      FROM {ORDERS}
      WHERE NOT CASE status
        WHEN 'PENDING' THEN
          CASE payment_method WHEN 'CASH_ON_DELIVERY' THEN payment_status = 'DUE_ON_DELIVERY'
                              ELSE payment_status IN ('PENDING', 'FAILED') AND fulfillment_status = 'UNFULFILLED' END
        WHEN 'PAID' THEN payment_status = 'PAID' AND fulfillment_status IN ('UNFULFILLED', 'PARTIALLY_SHIPPED')
        WHEN 'FULFILLED' THEN payment_status = 'PAID' AND fulfillment_status IN ('SHIPPED', 'DELIVERED')
        ELSE payment_status <> 'PAID' AND fulfillment_status = 'UNFULFILLED' END""",
    "A transition was written in part, or one was made that the transition table does not have.")

SHIPMENTS_ARE_SHIPPED = Invariant(
    "shipments", "orders", "what inventory shipped of an order is what its shipments say", SHIPMENT, f"""
      SELECT tenant_id, order_id AS subject,
             format('order %s, SKU %s: %s in its shipments, %s taken out of stock', order_id, sku, coalesce(s.qty, 0),
                    coalesce(l.qty, 0)) AS text
      FROM (SELECT i.tenant_id, i.order_id, i.sku, sum(i.qty) AS qty
            FROM {SHIPMENT_ITEM} i JOIN {SHIPMENT} s USING (tenant_id, order_id, shipment_id)
            WHERE s.status <> 'PREPARING' GROUP BY 1, 2, 3) s
      FULL JOIN (SELECT o.tenant_id, o.order_id, l.sku, sum(l.shipped) AS qty
                 FROM {ORDERS} o JOIN {LINE} l ON l.tenant_id = o.tenant_id AND l.reservation_id = coalesce(o.reservation_id, o.order_id)
                 WHERE l.shipped > 0 AND l.sku NOT LIKE 'quota:%' GROUP BY 1, 2, 3) l USING (tenant_id, order_id, sku)
      WHERE coalesce(s.qty, 0) <> coalesce(l.qty, 0)
        AND NOT EXISTS (SELECT FROM {PROCESS} p WHERE p.tenant_id = coalesce(s.tenant_id, l.tenant_id)
                        AND p.order_id = coalesce(s.order_id, l.order_id) AND p.kind = 'FULFILL')""",
    "A shipment took its stock twice or not at all.", (SHIPMENT_ITEM, ORDERS, LINE, PROCESS))

PROCESSES_END = Invariant(
    "processes", "orders", "nothing that was begun with an order is stuck", ORDERS, f"""
      SELECT tenant_id, order_id AS subject,
             format('order %s: %s under way for %s s, %s attempts%s', order_id, kind, floor(extract(epoch FROM now() - created_at)),
                    attempts, CASE WHEN last_error = '' THEN '' ELSE ', the last error: ' || last_error END) AS text
      FROM {PROCESS} WHERE created_at < now() - :'grace'::interval""",
    "A peer is away, or answers with an error that repeating does not mend; order's log says more.", (PROCESS,))

KEYS_HAVE_ORDERS = Invariant(
    "idempotency", "orders", "every Idempotency-Key that was used has its order", KEYS, f"""
      SELECT k.tenant_id, k.order_id AS subject,
             format('a key of user %s leads to order %s, which is not there', k.user_id, k.order_id) AS text
      FROM {KEYS} k LEFT JOIN {ORDERS} o USING (tenant_id, order_id) WHERE o.order_id IS NULL""",
    "An order that was answered is lost.", (ORDERS,))

ALL = (ONE_ORDER_A_RESERVATION, ORDER_HAS_ITS_STOCK, ORDER_HAS_ITS_QUANTITIES, TOTAL_IS_ITS_ITEMS, HISTORY_IS_COMPLETE, STATES_FIT,
       SHIPMENTS_ARE_SHIPPED, PROCESSES_END, KEYS_HAVE_ORDERS)
