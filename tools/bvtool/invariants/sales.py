"""Flash sales of a limited quantity: what was sold at their prices, and the quota that inventory keeps of each."""

from .invariant import Invariant
from .orders import ITEMS
from .stock import LEDGER, LINE, ORDERS, RESERVATION

SALE = "product.flash_sale"
OFFER = "product.flash_sale_offer"
OVERRIDE = "product.price_override"
PRICE = "product.product_price_history"

LIMIT_HOLDS = Invariant(
    "flash-sale-limit", "stock", "of a limited flash sale its limit was set up once, and no more than that is held and sold", SALE, f"""
      SELECT tenant_id, sale_id AS subject,
             format('flash sale %s has a limit of %s; %s were set up, %s are held or sold', sale_id, quantity_limit, coalesce(q.qty, 0),
                    coalesce(l.qty, 0)) AS text
      FROM {SALE}
      LEFT JOIN (SELECT tenant_id, substr(sku, 7) AS sale_id, sum(on_hand_delta) AS qty
                 FROM {LEDGER} WHERE sku LIKE 'quota:%' AND reservation_id IS NULL GROUP BY 1, 2) q USING (tenant_id, sale_id)
      LEFT JOIN (SELECT l.tenant_id, substr(l.sku, 7) AS sale_id, sum(l.qty) AS qty
                 FROM {LINE} l JOIN {RESERVATION} r USING (tenant_id, reservation_id)
                 WHERE l.sku LIKE 'quota:%' AND r.status IN ('HELD', 'COMMITTED', 'SHIPPED') GROUP BY 1, 2) l USING (tenant_id, sale_id)
      WHERE quantity_limit IS NOT NULL AND (coalesce(q.qty, 0) <> quantity_limit OR coalesce(l.qty, 0) > quantity_limit)""",
    "More was sold at the sale's price than was meant to be.", (LEDGER, LINE, RESERVATION))

# The same price may hold for another reason, by the catalogue or an override, while the sale is sold out.
PRICES_HAVE_QUOTAS = Invariant(
    "flash-sale-prices", "orders", "an order has as many pieces of a limited flash sale's quota as items at its price", ORDERS, f"""
      SELECT tenant_id, order_id AS subject,
             format('order %s: %s pieces at the price of flash sale %s, %s of its quota', order_id, coalesce(i.qty, 0), sale_id,
                    coalesce(l.qty, 0)) AS text
      FROM (SELECT o.tenant_id, o.order_id, f.sale_id, sum(i.qty) AS qty,
                   bool_or(o.created_at >= f.starts_at AND o.created_at < f.ends_at
                           AND NOT EXISTS (SELECT FROM {OVERRIDE} v
                                           WHERE v.tenant_id = i.tenant_id AND v.variant_id = i.variant_id AND v.price = i.price
                                             AND o.created_at >= v.valid_from AND o.created_at < v.valid_until)
                           AND NOT EXISTS (SELECT FROM {PRICE} p
                                           WHERE p.tenant_id = i.tenant_id AND p.variant_id = i.variant_id AND p.price = i.price
                                             AND o.created_at >= p.valid_from AND o.created_at < coalesce(p.valid_to, 'infinity'))) AS due
            FROM {ORDERS} o JOIN {ITEMS} i USING (tenant_id, order_id)
            JOIN {OFFER} f ON f.tenant_id = i.tenant_id AND f.variant_id = i.variant_id AND f.price = i.price AND f.limited
            GROUP BY 1, 2, 3) i
      FULL JOIN (SELECT o.tenant_id, o.order_id, substr(l.sku, 7) AS sale_id, sum(l.qty) AS qty
                 FROM {ORDERS} o JOIN {LINE} l ON l.tenant_id = o.tenant_id AND l.reservation_id = coalesce(o.reservation_id, o.order_id)
                 WHERE l.sku LIKE 'quota:%' GROUP BY 1, 2, 3) l USING (tenant_id, order_id, sale_id)
      WHERE coalesce(i.qty, 0) <> coalesce(l.qty, 0) AND (l.qty IS NOT NULL OR i.due)""",
    "Somebody got the sale's price beyond its limit, or a piece of the quota is lost.", (ITEMS, LINE, OFFER, OVERRIDE, PRICE))

ALL = (LIMIT_HOLDS, PRICES_HAVE_QUOTAS)
