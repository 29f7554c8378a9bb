"""One Idempotency-Key is one order and one hold: for a thousand requests at once, for answers that were lost, over restarts."""

import collections
import signal
import unittest

from support import burst, ledger, patient, postgres, stack, wait
from support.shop import Shop, order_body, unique

TOGETHER = 1000
INVENTORIES = ("inventory", "inventory-2")


class Idempotency(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.sku = self.shop.product(1.00, stock=100)["sku"]
        self.key = unique("key")

    def body(self, qty=1, **changes):
        return order_body([(self.sku, qty)], **changes)

    def request(self, **changes):
        return burst.request("/api/v1/orders", self.body(**changes),
                             {"Authorization": f"Bearer {self.shop.token()}", "Idempotency-Key": self.key})

    def order(self, qty=1):
        return patient.post(self.shop.customer, "/api/v1/orders", self.body(qty), self.key)

    def stored(self):
        return [row["order_id"] for row in postgres.rows(
            f"SELECT order_id FROM orders.orders WHERE tenant_id = '{self.shop.tenant}'")]

    def holds(self):
        """Every reservation that was ever made."""
        return postgres.value(f"SELECT count(*) FROM inventory.reservation WHERE tenant_id = '{self.shop.tenant}' AND status <> 'RELEASED'")

    def check_one(self, order_id):
        self.assertEqual([order_id], self.stored())
        self.assertEqual(1, self.holds())
        self.assertEqual(1, self.shop.stock(self.sku)["reserved"])
        ledger.check_orders(self, self.shop.tenant)

    def test_a_thousand_at_once(self):
        answers = burst.together([self.request()] * TOGETHER)
        # Nobody is turned away for another reason than that there is too much to do; who is comes again.
        self.assertLessEqual({answer.status for answer in answers}, {201, 429, 503}, collections.Counter(a.status for a in answers))
        placed = [answer for answer in answers if answer.status == 201]
        (order_id,) = {answer.json["orderId"] for answer in placed}
        first = [answer for answer in placed if answer.headers["Idempotency-Replayed"] is None]
        self.assertEqual((1, len(placed) - 1), (len(first), sum(answer.headers["Idempotency-Replayed"] == "true" for answer in placed)))
        self.assertGreater(len(placed), TOGETHER // 2)
        self.assertEqual(order_id, self.order().json["orderId"])
        self.check_one(order_id)

    def test_another_thousand_with_two_payloads(self):
        answers = burst.together([self.request(qty=1 + number % 2) for number in range(TOGETHER)])
        self.assertLessEqual({answer.status for answer in answers}, {201, 422, 429, 503})
        (order_id,) = {answer.json["orderId"] for answer in answers if answer.status == 201}
        self.assertEqual({"IDEMPOTENCY_KEY_REUSED"}, {answer.json["code"] for answer in answers if answer.status == 422})
        self.assertEqual([order_id], self.stored())
        ledger.check_orders(self, self.shop.tenant)
        (item,) = self.shop.must(200, self.shop.customer.get(f"/api/v1/orders/{order_id}"))["items"]
        self.assertEqual(item["qty"], self.shop.stock(self.sku)["reserved"])

    def test_a_lost_answer(self):
        for number in range(20):
            with self.subTest(number):
                self.key = unique("key")
                before = len(self.stored())
                burst.abandoned(self.request(), lambda: None)
                order_id = self.shop.must(201, self.order())["orderId"]
                self.assertIn(order_id, self.stored())
                self.assertEqual(len(self.stored()), before + 1)
        self.assertEqual(20, self.shop.stock(self.sku)["reserved"])
        ledger.check_orders(self, self.shop.tenant)

    def test_a_client_that_goes_while_it_is_waited_for(self):
        with postgres.locked(f"SELECT FROM inventory.inventory_stock WHERE tenant_id = '{self.shop.tenant}' FOR UPDATE"):
            burst.abandoned(self.request(), lambda: wait.until(lambda: postgres.waiting_for_lock("inventory"), what="the reservation"))
        self.check_one(self.shop.must(201, self.order())["orderId"])

    def test_a_repeat_after_a_restart(self):
        first = self.order()
        order_id = self.shop.must(201, first)["orderId"]
        for name in ("order", "gateway", *INVENTORIES):
            stack.await_restart(name, stack.send_signal(name, signal.SIGKILL))
        again = self.order()
        self.assertEqual((201, first.text, "true"), (again.status, again.text, again.headers["Idempotency-Replayed"]))
        self.assertEqual(first.headers["Location"], again.headers["Location"])
        self.check_one(order_id)

    def test_another_request_under_the_key(self):
        order_id = self.shop.must(201, self.order())["orderId"]
        for other in (self.body(qty=2), self.body(paymentMethod="CASH_ON_DELIVERY"), self.body(email="bob@example.com")):
            answer = patient.post(self.shop.customer, "/api/v1/orders", other, self.key)
            self.assertEqual((422, "IDEMPOTENCY_KEY_REUSED", "Idempotency-Key"), (answer.status, answer.json["code"], answer.json["field"]))
        self.check_one(order_id)

    def test_no_key(self):
        answer = self.shop.customer.post("/api/v1/orders", self.body(), headers={"Idempotency-Key": None})
        self.assertEqual((400, "IDEMPOTENCY_KEY_MISSING"), (answer.status, answer.json["code"]))
        self.assertEqual([], self.stored())

    def test_a_refusal_is_not_kept(self):
        """Out of stock under a key, stock comes in: the same request is carried out."""
        self.assertEqual(409, self.order(qty=101).status)
        self.shop.stock_up(self.sku, 1)
        self.assertEqual(201, self.order(qty=101).status)
        ledger.check_orders(self, self.shop.tenant)


if __name__ == "__main__":
    unittest.main()
