"""`tools/bv check` finds what is wrong: the books of a sound shop are spoilt in every way, one at a time."""

import json
import subprocess
import sys
import typing
import unittest
import uuid

from support import stack
from support.scratch import Database

ORDERS = 28
# Orders of the sound shop, by their state.
HELD, PAID, FULFILLED, CANCELED, EXPIRED, ON_DELIVERY, REFUNDED = (f"ord_{number:08d}" for number in (7, 1, 2, 3, 4, 5, 6))
RELEASED = "ord_00000017"  # CANCELED; others still have some of its SKU


class Spoilt(typing.NamedTuple):
    """What is done to the books, and what has to be said of it: the invariants by name, and a sentence of one of them."""

    what: str
    sql: str
    names: typing.Set[str]
    text: str


SPOILT = (
    Spoilt("stock without its ledger", "UPDATE inventory.inventory_stock SET on_hand = on_hand + 3 WHERE sku = 'SKU-1'",
           {"stock-ledger"}, "SKU SKU-1 at MAIN: on hand 1000003 in the stock, 1000000 by the ledger (+3)"),
    Spoilt("buffer without its ledger", "UPDATE inventory.inventory_stock SET buffer = 5 WHERE sku = 'SKU-1'",
           {"stock-ledger"}, "SKU SKU-1 at MAIN: buffer 5 in the stock, 0 by the ledger (+5)"),
    Spoilt("a lost row of stock", "DELETE FROM inventory.inventory_stock WHERE sku = 'SKU-4'", {"stock-ledger", "reserved"},
           "SKU SKU-4 at MAIN: on hand 0 in the stock"),
    Spoilt("stock given back twice", f"""
           INSERT INTO inventory.inventory_adjustment (tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, reason,
                                                       reservation_id, user_id)
           SELECT 'shop', 'twice', sku, 'MAIN', 0, -1, 'RELEASED', reservation_id, 'ada' FROM inventory.reservation_line
           WHERE reservation_id = '{RELEASED}';
           UPDATE inventory.inventory_stock SET reserved = reserved - 1
           WHERE sku = (SELECT sku FROM inventory.reservation_line WHERE reservation_id = '{RELEASED}')""",
           {"reserved", "reservation-ledger"}, f"reservation {RELEASED} (RELEASED), SKU SKU-7 at MAIN: by the ledger it has -1 reserved"),
    Spoilt("oversold", """
           ALTER TABLE inventory.inventory_stock DROP CONSTRAINT available_not_negative;
           INSERT INTO inventory.inventory_adjustment (tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, reason,
                                                       user_id)
           VALUES ('shop', 'gone', 'SKU-1', 'MAIN', -1000000, 0, 'LOST', 'sam');
           UPDATE inventory.inventory_stock SET on_hand = 0 WHERE sku = 'SKU-1'""",
           {"not-oversold"}, "SKU SKU-1 at MAIN: -"),
    Spoilt("oversold, marked, and not by force", """
           INSERT INTO inventory.inventory_adjustment (tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, reason,
                                                       user_id)
           VALUES ('shop', 'gone', 'SKU-1', 'MAIN', -1000000, 0, 'LOST', 'sam');
           UPDATE inventory.inventory_stock SET on_hand = 0, oversold = true WHERE sku = 'SKU-1'""",
           {"not-oversold"}, "marked as oversold, but no adjustment was forced"),
    Spoilt("shipped in part, and called SHIPPED", f"UPDATE inventory.reservation SET status = 'SHIPPED' WHERE reservation_id = '{PAID}'",
           {"shipped-state", "reserved", "reservation-ledger", "order-stock"}, f"reservation {PAID} is SHIPPED, and 0 of 2 pieces are"),
    Spoilt("more at a sale's price than its limit", "UPDATE product.flash_sale SET quantity_limit = 5", {"flash-sale-limit"},
           "flash sale fsl_1 has a limit of 5; 10 were set up, 6 are held or sold"),
    Spoilt("a sale's price without its quota", f"""
           UPDATE orders.order_items SET variant_id = 'var_SKU-2' WHERE order_id = '{HELD}'""",
           {"flash-sale-prices"}, f"order {HELD}: 2 pieces at the price of flash sale fsl_1, 0 of its quota"),
    Spoilt("a quota without the sale's price", "UPDATE product.flash_sale_offer SET price = 249", {"flash-sale-prices"},
           f"order {FULFILLED}: 0 pieces at the price of flash sale fsl_1, 3 of its quota"),
    Spoilt("a hold after its time", f"""
           UPDATE inventory.reservation SET expires_at = now() - interval '1 minute' WHERE reservation_id = '{HELD}'""",
           {"holds-end"}, f"reservation {HELD} of ORDER is HELD though its time ended"),
    Spoilt("a hold without an order", """
           INSERT INTO inventory.reservation (tenant_id, reservation_id, user_id, status, holder, created_at, expires_at)
           VALUES ('shop', 'lone', 'ada', 'HELD', 'ORDER', now() - interval '1 hour', now() + interval '1 hour')""",
           {"holds-have-orders"}, "reservation lone is HELD for an order"),
    Spoilt("committed stock without an order", """
           INSERT INTO inventory.reservation (tenant_id, reservation_id, user_id, status, holder, expires_at)
           VALUES ('shop', 'lone', 'ada', 'COMMITTED', 'ORDER', now() + interval '1 hour')""",
           {"holds-have-orders"}, "reservation lone is COMMITTED for an order"),
    Spoilt("one reservation for two orders", f"""
           UPDATE orders.orders SET reservation_id = '{PAID}' WHERE order_id = 'ord_00000008'""",
           {"one-order-a-hold", "holds-have-orders", "order-quantities"}, f"reservation {PAID} serves 2 orders: {PAID}, ord_00000008"),
    Spoilt("paid, and the stock is gone", f"UPDATE inventory.reservation SET status = 'RELEASED' WHERE reservation_id = '{PAID}'",
           {"order-stock", "reserved", "reservation-ledger"},
           f"order {PAID} is PAID (CARD, payment PAID), but its reservation {PAID} is RELEASED"),
    Spoilt("an order without a reservation", f"""
           DELETE FROM inventory.reservation WHERE reservation_id = '{HELD}'""",
           {"order-stock", "reserved", "reservation-ledger"}, f"but its reservation {HELD} is not there"),
    Spoilt("cancelled, and the stock still held", f"UPDATE inventory.reservation SET status = 'HELD' WHERE reservation_id = '{CANCELED}'",
           {"order-stock", "reserved", "reservation-ledger"}, f"order {CANCELED} is CANCELED"),
    Spoilt("on delivery, and not committed", f"UPDATE inventory.reservation SET status = 'HELD' WHERE reservation_id = '{ON_DELIVERY}'",
           {"order-stock"}, f"order {ON_DELIVERY} is PENDING (CASH_ON_DELIVERY, payment DUE_ON_DELIVERY), but its reservation"),
    Spoilt("another quantity", f"UPDATE orders.order_items SET qty = 9, price = 0 WHERE order_id = '{HELD}'",
           {"order-quantities", "order-total"}, f"order {HELD}, SKU SKU-7: 9 ordered, 2 reserved"),
    Spoilt("another price", f"UPDATE orders.order_items SET price = 251 WHERE order_id = '{PAID}'", {"order-total"},
           f"order {PAID}: total 500 USD (minor units), its items add up to 502"),
    Spoilt("a gap in the history", f"DELETE FROM orders.order_status_history WHERE order_id = '{FULFILLED}' AND version = 2",
           {"history", "order-events"}, f"order {FULFILLED} has version 3, its history 2 entries from 1 to 3"),
    Spoilt("a history that ends elsewhere", f"""
           UPDATE orders.order_status_history SET fulfillment_status = 'DELIVERED' WHERE order_id = '{FULFILLED}' AND version = 3""",
           {"history"}, "its history ends with FULFILLED, PAID, DELIVERED"),
    Spoilt("states that do not fit", f"""
           UPDATE orders.orders SET payment_status = 'REFUNDED' WHERE order_id = '{PAID}';
           UPDATE orders.order_status_history SET payment_status = 'REFUNDED' WHERE order_id = '{PAID}' AND version = 2""",
           {"order-states", "order-events", "paid-orders"}, f"order {PAID} is PAID, payment REFUNDED"),
    Spoilt("a shipment of less", f"UPDATE orders.shipment_item SET qty = 1 WHERE order_id = '{FULFILLED}'", {"shipments"},
           f"order {FULFILLED}, SKU SKU-2: 1 in its shipments, 3 taken out of stock"),
    Spoilt("a process that is stuck", f"""
           INSERT INTO orders.order_process (tenant_id, order_id, kind, payload, actor, attempts, next_at, last_error, created_at)
           VALUES ('shop', '{HELD}', 'PAY', '{{}}', 'ada', 7, now(), 'gateway away', now() - interval '1 hour')""",
           {"processes"}, f"order {HELD}: PAY under way for 3600 s, 7 attempts, the last error: gateway away"),
    Spoilt("a key whose order is lost", """
           INSERT INTO orders.idempotency_record (tenant_id, user_id, key_hash, request_hash, order_id)
           VALUES ('shop', 'ada', 'k', 'r', 'ord_lost')""", {"idempotency"}, "a key of user ada leads to order ord_lost"),
    Spoilt("a paid order without money", f"DELETE FROM payment.payments WHERE order_id = '{PAID}'", {"paid-orders", "payment-events"},
           f"order {PAID} is PAID, payment PAID, over 500 USD (minor units) by payment pay_{PAID}; but no payment of it has taken money"),
    Spoilt("less money", f"UPDATE payment.payments SET amount = 499 WHERE order_id = '{FULFILLED}'", {"paid-orders"},
           f"but payment pay_{FULFILLED} of 499 USD is SUCCEEDED"),
    Spoilt("charged twice", f"""
           DROP INDEX payment.payments_with_money;
           INSERT INTO payment.payments (tenant_id, payment_id, order_id, amount, currency, method, status, updated_at)
           VALUES ('shop', 'pay_again', '{PAID}', 500, 'USD', 'CARD', 'SUCCEEDED', now() - interval '1 hour')""",
           {"paid-orders", "payments", "payment-events"}, "payment pay_again of 500 USD (minor units) is SUCCEEDED since"),
    Spoilt("money for an order that is cancelled", f"""
           INSERT INTO payment.payments (tenant_id, payment_id, order_id, amount, currency, method, status, updated_at)
           VALUES ('shop', 'pay_late', '{EXPIRED}', 500, 'USD', 'CARD', 'SUCCEEDED', now() - interval '1 hour')""",
           {"payments", "payment-events"}, f"but order {EXPIRED} is CANCELED, payment PENDING"),
    Spoilt("money for an order that is not there", """
           INSERT INTO payment.payments (tenant_id, payment_id, order_id, amount, currency, method, status, updated_at)
           VALUES ('shop', 'pay_late', 'ord_never', 500, 'USD', 'CARD', 'SUCCEEDED', now() - interval '1 hour')""",
           {"payments", "payment-events"}, "but order ord_never is not there"),
    Spoilt("not given back", f"UPDATE payment.payments SET status = 'SUCCEEDED' WHERE order_id = '{REFUNDED}'",
           {"paid-orders", "payment-events"}, f"order {REFUNDED} is CANCELED, payment REFUNDED, over"),
    Spoilt("a payment that nobody finishes", f"""
           INSERT INTO payment.payments (tenant_id, payment_id, order_id, amount, currency, method, status, updated_at)
           VALUES ('shop', 'pay_open', '{HELD}', 500, 'USD', 'CARD', 'PROCESSING', now() - interval '1 hour')""",
           {"payments"}, "is PROCESSING since"),
    Spoilt("an outcome that nobody heard of", f"""
           DELETE FROM outbox.event WHERE aggregateid = '{PAID}' AND type LIKE 'ecommerce.payment.%'""", {"payment-events"},
           f"order {PAID} has 0 events that a payment succeeded, its payments want 1"),
    Spoilt("an event lost", f"DELETE FROM outbox.event WHERE aggregateid = '{PAID}' AND type LIKE '%.order.paid.v1'", {"order-events"},
           f"order {PAID} has 0 events paid, its history wants 1"),
    Spoilt("an event twice", f"""
           INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload)
           SELECT tenant_id, gen_random_uuid(), aggregatetype, aggregateid, type, payload FROM outbox.event
           WHERE aggregateid = '{HELD}'""", {"order-events"}, f"order {HELD} has 2 events created, its history wants 1"),
    Spoilt("an event of nothing", """
           INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload)
           VALUES ('shop', gen_random_uuid(), 'ecommerce.order.order', 'ord_never', 'ecommerce.order.order.created.v1', '{}')""",
           {"order-events"}, "order ord_never has 1 events created, its history wants 0"),
    Spoilt("an expiry that nobody heard of", f"""
           DELETE FROM outbox.event WHERE aggregateid = '{EXPIRED}' AND type LIKE '%.expired.v1'""", {"expiry-events"},
           f"reservation {EXPIRED} is EXPIRED and has 0 events of its expiry"),
)


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sound = Database(f"check_{uuid.uuid4().hex[:12]}")
        cls.addClassCleanup(cls.sound.drop)
        cls.sound.fill(ORDERS)

    def check(self, database, *arguments):
        """The exit code, and what is printed."""
        done = subprocess.run([sys.executable, "-B", str(stack.BV), "check", "--stack", stack.env("BV_STACK"), "--database", database.name,
                               *arguments], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def test_sound_books(self):
        code, text = self.check(self.sound)
        self.assertEqual(code, 0, text)
        self.assertIn(f"{ORDERS} orders", text)
        self.assertIn("Nothing oversold, lost or doubled.", text)

    def test_spoilt_books(self):
        for number, spoilt in enumerate(SPOILT):
            with self.subTest(spoilt.what):
                database = Database(f"{self.sound.name}_{number}", template=self.sound)
                try:
                    database.execute(spoilt.sql)
                    code, text = self.check(database, "--json")
                    report = json.loads(text)
                    said = {one["name"]: [found["text"] for found in one["found"]] for one in report["invariants"] if one["wrong"]}
                    self.assertEqual((code, set(said)), (1, spoilt.names), said)
                    self.assertTrue([line for lines in said.values() for line in lines if spoilt.text in line], said)
                    self.assertEqual({"shop"}, {found["tenant"] for one in report["invariants"] for found in one["found"]})
                finally:
                    database.drop()

    def test_what_a_person_reads(self):
        database = Database(f"{self.sound.name}_read", template=self.sound)
        self.addCleanup(database.drop)
        spoilt = SPOILT[0]
        database.execute(spoilt.sql)
        code, text = self.check(database)
        self.assertEqual(code, 1)
        self.assertIn(f"shop: {spoilt.text}", text)
        self.assertIn("1 wrong.", text)
        self.assertEqual(0, self.check(database, "--tenant", "another")[0])

    def test_what_is_under_way_is_not_wrong_at_once(self):
        database = Database(f"{self.sound.name}_moving", template=self.sound)
        self.addCleanup(database.drop)
        database.execute(f"""
            INSERT INTO inventory.reservation (tenant_id, reservation_id, user_id, status, holder, expires_at)
            VALUES ('shop', 'lone', 'ada', 'HELD', 'ORDER', now() + interval '1 hour');
            INSERT INTO orders.order_process (tenant_id, order_id, kind, payload, actor, next_at)
            VALUES ('shop', '{HELD}', 'PAY', '{{}}', 'ada', now())""")
        self.assertEqual(0, self.check(database)[0])
        code, text = self.check(database, "--grace", "0")
        self.assertEqual(code, 1)
        self.assertIn("reservation lone", text)
        self.assertIn(f"order {HELD}: PAY under way", text)


if __name__ == "__main__":
    unittest.main()
