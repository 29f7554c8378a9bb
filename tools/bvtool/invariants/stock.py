"""Stock, its ledger and its reservations."""

from .invariant import Invariant, difference

STOCK = "inventory.inventory_stock"
LEDGER = "inventory.inventory_adjustment"
RESERVATION = "inventory.reservation"
LINE = "inventory.reservation_line"
ORDERS = "orders.orders"

LATE = "interval '5 seconds'"  # a hold is back on sale within one second of its time; the rest is for a machine that is busy


def _off(column):
    return f"""CASE WHEN coalesce(s.{column}, 0) <> coalesce(l.{column}, 0)
                THEN format('%s %s in the stock, %s by the ledger (%s)', '{column.replace("_", " ")}', coalesce(s.{column}, 0),
                            coalesce(l.{column}, 0), {difference(f"coalesce(s.{column}, 0)", f"coalesce(l.{column}, 0)")}) END"""


STOCK_IS_ITS_LEDGER = Invariant(
    "stock-ledger", "stock", "on hand, reserved and buffer are the sums of the ledger", STOCK, f"""
      SELECT tenant_id, sku AS subject,
             format('SKU %s at %s: %s', sku, location_code,
                    concat_ws('; ', {_off("on_hand")}, {_off("reserved")}, {_off("buffer")})) AS text
      FROM {STOCK} s
      FULL JOIN (SELECT tenant_id, sku, location_code, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved,
                        sum(buffer_delta) AS buffer
                 FROM {LEDGER} GROUP BY 1, 2, 3) l USING (tenant_id, sku, location_code)
      WHERE (coalesce(s.on_hand, 0), coalesce(s.reserved, 0), coalesce(s.buffer, 0))
            <> (coalesce(l.on_hand, 0), coalesce(l.reserved, 0), coalesce(l.buffer, 0))""",
    "A quantity was changed without its line in the ledger, or the line was written without the change.", (LEDGER,))

RESERVED_IS_HELD = Invariant(
    "reserved", "stock", "reserved is what held and committed reservations have not shipped", STOCK, f"""
      SELECT tenant_id, sku AS subject,
             format('SKU %s at %s: %s reserved, but reservations have %s (%s)', sku, location_code, coalesce(s.reserved, 0),
                    coalesce(h.qty, 0), {difference("coalesce(s.reserved, 0)", "coalesce(h.qty, 0)")}) AS text
      FROM {STOCK} s
      FULL JOIN (SELECT l.tenant_id, l.sku, l.location_code, sum(l.qty - l.shipped) AS qty
                 FROM {LINE} l JOIN {RESERVATION} r USING (tenant_id, reservation_id)
                 WHERE r.status IN ('HELD', 'COMMITTED') GROUP BY 1, 2, 3) h USING (tenant_id, sku, location_code)
      WHERE coalesce(s.reserved, 0) <> coalesce(h.qty, 0)""",
    "More reserved: stock was taken for nobody, it cannot be sold. Less: stock was given back twice, it can be sold twice.",
    (LINE, RESERVATION))

NOT_OVERSOLD = Invariant(
    "not-oversold", "stock", "available is not negative, but where a forced adjustment made it so", STOCK, f"""
      SELECT tenant_id, sku AS subject,
             format('SKU %s at %s: %s available (%s on hand, %s reserved, %s buffer)%s', sku, location_code,
                    on_hand - reserved - buffer, on_hand, reserved, buffer,
                    CASE WHEN oversold THEN ', marked as oversold, but no adjustment was forced' ELSE '' END) AS text
      FROM {STOCK}
      LEFT JOIN (SELECT DISTINCT tenant_id, sku, location_code, true AS forced FROM {LEDGER} WHERE forced) f
        USING (tenant_id, sku, location_code)
      WHERE on_hand - reserved - buffer < 0 AND NOT (oversold AND coalesce(forced, false))""",
    "More was promised than there is: somebody will not get what they ordered.", (LEDGER,))

RESERVATION_IS_ITS_LEDGER = Invariant(
    "reservation-ledger", "stock", "each reservation took and gave back, by the ledger, exactly what its lines say", RESERVATION, f"""
      SELECT tenant_id, reservation_id AS subject,
             format('reservation %s (%s), SKU %s at %s: by the ledger it has %s reserved and moved %s on hand; by its lines %s and %s',
                    reservation_id, coalesce(status, 'unknown'), sku, location_code, coalesce(b.reserved, 0), coalesce(b.on_hand, 0),
                    coalesce(w.reserved, 0), coalesce(w.on_hand, 0)) AS text
      FROM (SELECT l.tenant_id, l.reservation_id, l.sku, l.location_code, r.status, -l.shipped AS on_hand,
                   CASE WHEN r.status IN ('HELD', 'COMMITTED') THEN l.qty - l.shipped ELSE 0 END AS reserved
            FROM {LINE} l LEFT JOIN {RESERVATION} r USING (tenant_id, reservation_id)) w
      FULL JOIN (SELECT tenant_id, reservation_id, sku, location_code, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
                 FROM {LEDGER} WHERE reservation_id IS NOT NULL GROUP BY 1, 2, 3, 4) b
        USING (tenant_id, reservation_id, sku, location_code)
      WHERE (coalesce(w.on_hand, 0), coalesce(w.reserved, 0)) <> (coalesce(b.on_hand, 0), coalesce(b.reserved, 0))""",
    "It was taken, given back or shipped twice, or not at all.", (LINE, LEDGER))

SHIPPED_IS_OUT = Invariant(
    "shipped-state", "stock", "a reservation is SHIPPED exactly when all of its lines are, and only what was committed is shipped",
    RESERVATION, f"""
      SELECT tenant_id, reservation_id AS subject,
             format('reservation %s is %s, and %s of %s pieces are shipped', reservation_id, status, shipped, qty) AS text
      FROM {RESERVATION}
      JOIN (SELECT tenant_id, reservation_id, sum(qty) AS qty, sum(shipped) AS shipped FROM {LINE} GROUP BY 1, 2) l
        USING (tenant_id, reservation_id)
      WHERE (status = 'SHIPPED') <> (shipped = qty) OR (shipped > 0 AND status IN ('HELD', 'EXPIRED'))""",
    "A shipment was booked in part.", (LINE,))

HOLDS_END = Invariant(
    "holds-end", "stock", "no hold outlives its time", RESERVATION, f"""
      SELECT tenant_id, reservation_id AS subject,
             format('reservation %s of %s is HELD though its time ended at %s, %s s ago', reservation_id, holder, expires_at,
                    floor(extract(epoch FROM now() - expires_at))) AS text
      FROM {RESERVATION}
      WHERE status = 'HELD' AND expires_at < now() - {LATE}""",
    "Inventory was away, or its search for expired holds does not keep up; the stock cannot be sold until it has.")

HOLDS_HAVE_ORDERS = Invariant(
    "holds-have-orders", "stock", "what is held for an order has an order", RESERVATION, f"""
      SELECT r.tenant_id, r.reservation_id AS subject,
             format('reservation %s is %s for an order since %s, but there is none', r.reservation_id, r.status, r.created_at) AS text
      FROM {RESERVATION} r
      LEFT JOIN {ORDERS} o ON o.tenant_id = r.tenant_id AND coalesce(o.reservation_id, o.order_id) = r.reservation_id
      WHERE r.holder = 'ORDER' AND o.order_id IS NULL
        AND (r.status IN ('COMMITTED', 'SHIPPED') OR (r.status = 'HELD' AND r.created_at < now() - :'grace'::interval))""",
    "Order ended between the hold and the order, and nobody has given the stock back yet; or the order was lost.", (ORDERS,))

ALL = (STOCK_IS_ITS_LEDGER, RESERVED_IS_HELD, NOT_OVERSOLD, RESERVATION_IS_ITS_LEDGER, SHIPPED_IS_OUT, HOLDS_END, HOLDS_HAVE_ORDERS)
