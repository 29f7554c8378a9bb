"""Money: payments and the orders that they are for."""

from .events import EVENT, SINCE
from .invariant import Invariant
from .orders import PROCESS
from .stock import ORDERS

PAYMENTS = "payment.payments"

PAID_ORDERS_HAVE_MONEY = Invariant(
    "paid-orders", "payments", "every paid order was paid once, its total; every refunded one was given back", ORDERS, f"""
      SELECT o.tenant_id, o.order_id AS subject,
             format('order %s is %s, payment %s, over %s %s (minor units) by payment %s; but %s', o.order_id, o.status, o.payment_status,
                    o.total_amount, o.currency, coalesce(nullif(o.payment_id, ''), 'none'),
                    coalesce(m.told, 'no payment of it has taken money')) AS text
      FROM {ORDERS} o
      LEFT JOIN {PROCESS} p USING (tenant_id, order_id)
      LEFT JOIN (SELECT tenant_id, order_id, count(*) AS count, min(amount) AS amount, min(currency) AS currency, min(method) AS method,
                        min(payment_id) AS payment_id, min(status) AS status,
                        string_agg(format('payment %s of %s %s is %s', payment_id, amount, currency, status), ', ') AS told
                 FROM {PAYMENTS} WHERE status IN ('SUCCEEDED', 'REFUNDING', 'REFUNDED') GROUP BY 1, 2) m
        USING (tenant_id, order_id)
      WHERE (o.status IN ('PAID', 'FULFILLED') OR o.payment_status = 'REFUNDED')
        AND (m.count = 1
             AND (m.amount, m.currency, m.method, m.payment_id) = (o.total_amount, o.currency, o.payment_method, o.payment_id)
             AND CASE WHEN o.payment_status = 'REFUNDED' THEN m.status = 'REFUNDED'
                      WHEN p.kind = 'CANCEL' THEN true
                      ELSE m.status = 'SUCCEEDED' END) IS NOT TRUE""",
    "Goods for no money, or money taken twice or in another amount.", (PROCESS, PAYMENTS))

MONEY_HAS_AN_ORDER = Invariant(
    "payments", "payments", "all money that was taken belongs to a paid order, or was given back; no payment is left open", PAYMENTS, f"""
      SELECT m.tenant_id, m.payment_id AS subject,
             format('payment %s of %s %s (minor units) is %s since %s, but order %s is %s', m.payment_id, m.amount, m.currency, m.status,
                    m.updated_at, m.order_id,
                    CASE WHEN o.order_id IS NULL THEN 'not there'
                         ELSE concat_ws(', ', o.status, 'payment ' || o.payment_status, 'paid by ' || nullif(o.payment_id, '')) END) AS text
      FROM {PAYMENTS} m
      LEFT JOIN {ORDERS} o USING (tenant_id, order_id)
      LEFT JOIN {PROCESS} p USING (tenant_id, order_id)
      WHERE (CASE m.status
               WHEN 'SUCCEEDED' THEN o.status IN ('PAID', 'FULFILLED') AND o.payment_id = m.payment_id
               WHEN 'REFUNDED' THEN o.status = 'CANCELED' AND o.payment_status = 'REFUNDED' AND o.payment_id = m.payment_id
               WHEN 'PROCESSING' THEN false
               WHEN 'REFUNDING' THEN false
               ELSE true END) IS NOT TRUE
        AND p.kind IS NULL AND m.updated_at < now() - :'grace'::interval""",
    "A customer was charged and has no order for it; order's reconciler finishes such an order or gives the money back.", (ORDERS, PROCESS))

PAYMENT_EVENTS = Invariant(
    "payment-events", "events", "every outcome of a payment was announced, once", PAYMENTS, f"""
      SELECT tenant_id, order_id AS subject,
             format('order %s has %s events that a payment %s, its payments want %s', order_id, coalesce(e.count, 0), event,
                    coalesce(w.count, 0)) AS text
      FROM (SELECT tenant_id, order_id, event, count(*) FILTER (WHERE due) AS count
            FROM (SELECT *, min(created_at) OVER (PARTITION BY tenant_id, order_id) AS first_at FROM {PAYMENTS}) m
            CROSS JOIN LATERAL (VALUES ('succeeded', status IN ('SUCCEEDED', 'REFUNDING', 'REFUNDED')), ('failed', status = 'FAILED'),
                                       ('refunded', status = 'REFUNDED')) AS v (event, due)
            WHERE first_at >= {SINCE} GROUP BY 1, 2, 3) w
      FULL JOIN (SELECT tenant_id, aggregateid AS order_id, split_part(type, '.', 4) AS event, count(*) AS count
                 FROM {EVENT} WHERE type LIKE 'ecommerce.payment.payment.%' AND occurred_at >= {SINCE} GROUP BY 1, 2, 3) e
        USING (tenant_id, order_id, event)
      WHERE coalesce(w.count, 0) <> coalesce(e.count, 0)
        AND NOT EXISTS (SELECT FROM {PAYMENTS} m
                        WHERE (m.tenant_id, m.order_id) = (coalesce(w.tenant_id, e.tenant_id), coalesce(w.order_id, e.order_id))
                          AND m.created_at < {SINCE})""",
    "Those who follow the events miss money, or count it twice.", (EVENT,))

ALL = (PAID_ORDERS_HAVE_MONEY, MONEY_HAS_AN_ORDER, PAYMENT_EVENTS)
