"""Flash sales of a limited quantity: never more pieces at the sale's price than its limit, whoever comes at once, dies, or does not pay."""

import datetime
import itertools
import signal
import threading
import unittest

from support import crash, http, ledger, patient, postgres, stack, wait
from support.shop import Shop, order_body, unique

REGULAR, SALE = 25.00, 15.00
AT_ONCE = 100
# Each is killed in turn, in the middle of a sale.
VICTIMS = ("inventory", "order", "product", "inventory-2", "order")
# Where an order of a limited sale may end before anybody has heard of it.
ORDER_POINTS = ("order.create.priced", "order.create.reserved", "order.create.written", "order.create.committed", "inventory.batch.written",
                "inventory.batch.committed")


class LimitedSales(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack.await_ready()

    def setUp(self):
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.product = self.shop.product(REGULAR, stock=10_000)
        self.sku = self.product["sku"]

    def schedule(self, limit):
        """A sale that begins in a moment and goes on for the rest of the test."""
        now = datetime.datetime.fromisoformat(postgres.value(
            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00') AS now"))
        return self.shop.staff.post("/api/v1/flash-sales", {
            "productId": self.product["productId"], "name": "Few", "quantityLimit": limit,
            "startsAt": (now + datetime.timedelta(seconds=0.5)).isoformat(), "endsAt": (now + datetime.timedelta(hours=1)).isoformat(),
            "offers": [{"sku": self.sku, "price": SALE, "currency": "USD"}]})

    def running(self, limit):
        sale = self.shop.must(201, self.schedule(limit))
        wait.until(lambda: self.sale(sale["saleId"])["status"] == "RUNNING", 20, "a sale that has begun")
        return sale["saleId"]

    def sale(self, sale_id):
        return self.shop.must(200, self.shop.staff.get(f"/api/v1/flash-sales/{sale_id}"))

    def order(self, qty=1, client=None):
        return self.shop.order([(self.sku, qty)], key=unique("key"), client=client)

    def buy(self, qty=1):
        """At the sale's price."""
        order = self.shop.must(201, self.order(qty))
        self.assertEqual(order["items"][0]["price"], SALE)
        return order["orderId"]

    def assert_sold_out(self, answer):
        self.assertEqual((answer.status, answer.json["code"], answer.json["field"]), (409, "FLASH_SALE_SOLD_OUT", "items[0].qty"), answer)

    def price_in_cart(self):
        cart = self.shop.must(201, self.shop.customer.post("/api/v1/carts", {}))
        return self.shop.must(200, self.shop.customer.call(
            "PUT", f"/api/v1/carts/{cart['cartId']}/items/{self.sku}", {"qty": 1}))["items"][0]["price"]

    def await_price(self, price):
        wait.until(lambda: self.price_in_cart() == price, 20, f"a price of {price} in carts")

    def await_ordered(self, price):
        """Orders one piece, at this price and at no other; one that is refused is tried again."""
        def ordered():
            answer = self.order()
            if answer.status == 409:
                self.assert_sold_out(answer)
                return None
            self.assertEqual(self.shop.must(201, answer)["items"][0]["price"], price)
            return answer.json["orderId"]
        return wait.until(ordered, 20, f"an order at {price}")

    def quota(self, sale_id):
        """On hand and reserved."""
        (row,) = postgres.rows(f"SELECT on_hand, reserved FROM inventory.inventory_stock WHERE tenant_id = '{self.shop.tenant}' "
                               f"AND sku = 'quota:{sale_id}'")
        return row["on_hand"], row["reserved"]

    def pieces(self, price):
        """Ordered at this price, and not canceled."""
        return postgres.value(f"""
            SELECT coalesce(sum(qty), 0) FROM orders.order_items JOIN orders.orders USING (tenant_id, order_id)
            WHERE tenant_id = '{self.shop.tenant}' AND status <> 'CANCELED' AND price = {price * 100:.0f}""")

    def test_piece_by_piece_to_the_edge(self):
        sale = self.running(3)
        self.assertEqual((self.sale(sale)["quantityLimit"], self.sale(sale)["soldOut"]), (3, False))
        self.buy()
        self.buy()
        self.assert_sold_out(self.order(2))
        self.assertEqual(self.price_in_cart(), SALE, "one is left")
        self.assertEqual(self.quota(sale), (3, 2), "what is refused takes nothing")
        self.buy()
        self.await_price(REGULAR)
        self.assertTrue(self.sale(sale)["soldOut"])
        self.await_ordered(REGULAR)
        ledger.check_orders(self, self.shop.tenant)

    def test_many_at_once_get_exactly_what_there_is(self):
        limit = 10
        sale = self.running(limit)
        door, answers = threading.Barrier(AT_ONCE), []

        def buyer():
            client = http.Client(self.shop.token(user=unique("buyer")))
            door.wait()
            answers.append(self.order(client=client))
            client.close()
        threads = [threading.Thread(target=buyer) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), AT_ONCE)
        prices = [answer.json["items"][0]["price"] for answer in answers if answer.status == 201]
        self.assertEqual(prices.count(SALE), limit, [(answer.status, answer.text) for answer in answers if answer.status != 201][:3])
        self.assertEqual(set(prices) - {SALE, REGULAR}, set())
        for answer in answers:
            if answer.status != 201:
                self.assert_sold_out(answer)
        self.await_ordered(REGULAR)
        self.assertEqual((self.quota(sale), self.pieces(SALE)), ((limit, limit), limit))
        ledger.check_orders(self, self.shop.tenant)

    def test_what_is_not_paid_in_time_comes_back(self):
        self.running(1)
        order = self.buy()
        self.await_price(REGULAR)
        postgres.execute(f"UPDATE inventory.reservation SET expires_at = now() WHERE tenant_id = '{self.shop.tenant}' AND status = 'HELD'")
        wait.until(lambda: self.shop.must(200, self.shop.customer.get(f"/api/v1/orders/{order}"))["status"] == "CANCELED", 20,
                   "an order that has expired")
        self.await_price(SALE)
        self.await_ordered(SALE)
        ledger.check_orders(self, self.shop.tenant)

    def test_what_was_paid_and_is_canceled_comes_back(self):
        sale = self.running(2)
        order = self.buy(2)
        self.shop.must(200, patient.post(self.shop.customer, f"/api/v1/orders/{order}/pay"))
        self.await_price(REGULAR)
        self.shop.must(200, patient.post(self.shop.staff, f"/api/v1/orders/{order}/cancel"))
        self.assertEqual(self.quota(sale), (2, 0))
        self.await_price(SALE)
        self.await_ordered(SALE)
        ledger.check_orders(self, self.shop.tenant)

    def test_what_is_shipped_is_used_up(self):
        sale = self.running(3)
        order = self.buy(2)
        self.shop.must(200, patient.post(self.shop.customer, f"/api/v1/orders/{order}/pay"))
        for part, left in ((1, (3, 2)), (1, (1, 0))):
            self.shop.must(200, patient.post(self.shop.staff, f"/api/v1/orders/{order}/fulfill",
                                             {"shipments": [{"items": [{"sku": self.sku, "qty": part}]}]}))
            self.assertEqual(self.quota(sale), left)
        self.assertEqual(self.shop.must(200, self.shop.customer.get(f"/api/v1/orders/{order}"))["status"], "FULFILLED")
        self.buy()
        self.await_price(REGULAR)
        ledger.check_orders(self, self.shop.tenant)

    def test_a_quota_is_no_goods(self):
        sale = self.running(5)
        self.buy()
        quota = f"quota:{sale}"
        for answer in (self.shop.staff.post(f"/api/v1/inventory/{quota}/adjustments", {"delta": 5, "reason": "MORE"}),
                       self.shop.anyone.get(f"/api/v1/inventory/{quota}"), self.order_of(quota)):
            self.assertEqual((answer.json["code"], answer.json["field"].split(".")[-1]), ("INVALID_VALUE", "sku"), answer)
        of_quotas = f"tenant_id = '{self.shop.tenant}' AND payload LIKE '%quota:%'"
        self.assertEqual({"ecommerce.inventory.quota.adjusted.v1"},
                         {row["type"] for row in postgres.rows(f"SELECT DISTINCT type FROM outbox.event WHERE {of_quotas}")})
        reserved = self.shop.stock(self.sku)["reserved"]
        wait.until(lambda: postgres.value(f"SELECT max(reserved) FROM analytics.inventory_snapshot WHERE tenant_id = '{self.shop.tenant}'")
                   == reserved, 30, "a snapshot of the stock")
        self.assertEqual(0, postgres.value(f"SELECT count(*) FROM analytics.inventory_snapshot WHERE tenant_id = '{self.shop.tenant}' "
                                           f"AND sku LIKE 'quota:%'"))

    def order_of(self, sku):
        return self.shop.order([(sku, 1)], key=unique("key"))

    def cut_power(self, point, act):
        """Calls `act` with the power going off at `point`, and returns what it does, once everything is back."""
        self.addCleanup(stack.await_ready)
        self.addCleanup(crash.disarm)
        crash.arm(point)
        result = act()
        wait.until(lambda: not crash.armed(), 20, f"a crash at {point}")
        stack.await_ready()
        return result

    def test_power_cuts_of_product(self):
        answer = self.cut_power("product.sale.quota_set_up", lambda: self.schedule(1))
        self.assertEqual(answer.status, 503, answer)
        self.assertEqual([], self.shop.must(200, self.shop.staff.get("/api/v1/flash-sales"))["sales"], "a quota, and no sale")
        self.running(1)
        order = self.cut_power("product.quota.written", self.buy)
        self.await_price(REGULAR)
        self.cut_power("product.quota.committed", lambda: self.shop.must(200, patient.post(self.shop.staff, f"/api/v1/orders/{order}/cancel")))
        self.await_price(SALE)
        self.await_ordered(SALE)
        ledger.check_orders(self, self.shop.tenant)

    def test_power_cuts_of_orders(self):
        sale = self.running(len(ORDER_POINTS))
        for number, point in enumerate(ORDER_POINTS, 1):
            answer = self.cut_power(point, lambda: patient.post(self.shop.customer, "/api/v1/orders", order_body([(self.sku, 1)])))
            self.assertEqual(self.shop.must(201, answer)["items"][0]["price"], SALE, point)
            self.assertEqual((self.quota(sale), self.pieces(SALE)), ((len(ORDER_POINTS), number), number), point)
        self.await_price(REGULAR)
        ledger.check_orders(self, self.shop.tenant)

    def test_never_more_than_its_limit_whoever_is_killed(self):
        self.addCleanup(stack.await_ready)
        limit = 40
        sale = self.running(limit)
        done, answers, failures = threading.Event(), [], []

        def buyer(number):
            client = http.Client(self.shop.token(user=f"buyer-{number}"))
            try:
                while not done.is_set():
                    answers.append(patient.post(client, "/api/v1/orders", order_body([(self.sku, 1)])))
            except Exception as error:  # whatever it is, the test must not pass over it
                failures.append(repr(error))
            client.close()
        threads = [threading.Thread(target=buyer, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        try:
            for victim, sold in zip(VICTIMS, itertools.count(4, 8)):
                wait.until(lambda n=sold: len(answers) >= n, 60, "buyers who are answered", every=0.005)
                stack.await_restart(victim, stack.send_signal(victim, signal.SIGKILL))
            wait.until(lambda: sum(answer.status == 201 for answer in answers) > limit + 20, 60, "orders after the sale")
        finally:
            done.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], failures)
        for answer in answers:
            if answer.status != 201:
                self.assert_sold_out(answer)
        prices = [answer.json["items"][0]["price"] for answer in answers if answer.status == 201]
        self.assertLessEqual(prices.count(SALE), limit)
        self.assertEqual(set(prices), {SALE, REGULAR})

        def all_sold():
            if self.pieces(SALE) == limit:
                return True
            self.order()
            return False
        # What a crash left held for nobody is given back, and is bought at last.
        wait.until(all_sold, 60, "every piece sold", every=0.5)
        ledger.check_orders(self, self.shop.tenant)
        self.assertEqual((self.quota(sale), self.pieces(SALE)), ((limit, limit), limit))


if __name__ == "__main__":
    unittest.main()
