"""Overrides and flash sales: what carts and orders cost before, while and after they hold, to the microsecond of the database's clock."""

import datetime
import threading
import time
import unittest

from support import http, kafka, postgres, wait
from support.shop import Shop, order_body, unique

REGULAR, SALE = 25.00, 15.00
BUYERS = 3


def database_time():
    return datetime.datetime.fromisoformat(postgres.value("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                                                          "'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00') AS now"))


class FlashSales(unittest.TestCase):
    def setUp(self):
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.admin = http.Client(self.shop.token("ADMIN", "root"))
        self.addCleanup(self.admin.close)

    def schedule(self, product, start, seconds, price=SALE, **changes):
        """A sale that begins `start` seconds from now."""
        begin = database_time() + datetime.timedelta(seconds=start)
        return self.shop.staff.post("/api/v1/flash-sales", {
            "productId": product["productId"], "name": "Spring", "startsAt": begin.isoformat(),
            "endsAt": (begin + datetime.timedelta(seconds=seconds)).isoformat(),
            "offers": [{"sku": product["sku"], "price": price, "currency": "USD"}], **changes})

    def override(self, sku, price, client=None, **body):
        return (client or self.admin).call("PUT", f"/api/v1/price-overrides/{sku}", {"price": price, "currency": "USD", **body})

    def price_in_cart(self, sku):
        cart = self.shop.must(201, self.shop.customer.post("/api/v1/carts", {}))
        return self.shop.must(200, self.shop.customer.call(
            "PUT", f"/api/v1/carts/{cart['cartId']}/items/{sku}", {"qty": 1}))["items"][0]["price"]

    def buy_until(self, sku, done, answers):
        client = http.Client(self.shop.token(user=unique("buyer")))
        while not done.is_set():
            answers.append(client.post("/api/v1/orders", order_body([(sku, 1)]), headers={"Idempotency-Key": unique("key")}))
        client.close()

    def test_orders_cost_what_holds_at_their_time(self):
        product = self.shop.product(REGULAR, stock=10_000)
        done, answers = threading.Event(), []
        buyers = [threading.Thread(target=self.buy_until, args=(product["sku"], done, answers)) for _ in range(BUYERS)]
        for buyer in buyers:
            buyer.start()
        try:
            sale = self.shop.must(201, self.schedule(product, 1.5, 1.5))
            self.assertEqual(sale["status"], "SCHEDULED")
            path = f"/api/v1/flash-sales/{sale['saleId']}"
            wait.until(lambda: self.shop.staff.get(path).json["status"] == "ENDED", 20, "the end of the sale")
            bought = len(answers)
            wait.until(lambda: len(answers) > bought + 50, 20, "orders after the sale")
        finally:
            done.set()
            for buyer in buyers:
                buyer.join()
        self.assertEqual({201}, {answer.status for answer in answers})
        orders = postgres.rows(f"""
            SELECT i.price, o.created_at >= s.starts_at AND o.created_at < s.ends_at AS on_sale, o.created_at >= s.ends_at AS after,
                   least(abs(extract(epoch FROM o.created_at - s.starts_at)), abs(extract(epoch FROM o.created_at - s.ends_at))) AS off
            FROM orders.orders o JOIN orders.order_items i USING (tenant_id, order_id)
            JOIN product.flash_sale s ON s.sale_id = '{sale['saleId']}'
            WHERE o.tenant_id = '{self.shop.tenant}'""")
        wrong = [order for order in orders if order["price"] != (SALE if order["on_sale"] else REGULAR) * 100]
        self.assertEqual([], wrong)
        # There were orders in all three times, and close to the edges.
        self.assertEqual({(False, False), (True, False), (False, True)}, {(order["on_sale"], order["after"]) for order in orders})
        self.assertGreater(sum(order["off"] < 0.05 for order in orders), 4)

    def test_a_cart_shows_what_holds(self):
        product = self.shop.product(REGULAR)
        sale = self.shop.must(201, self.schedule(product, 1, 1))
        begin, end = (datetime.datetime.fromisoformat(sale[name].replace("Z", "+00:00")) for name in ("startsAt", "endsAt"))
        seen = []
        while not seen or seen[-1][0] < end:
            before, price, after = database_time(), self.price_in_cart(product["sku"]), database_time()
            seen.append((before, price, after))
        for before, price, after in seen:
            if after < begin or before >= end:
                self.assertEqual(price, REGULAR, (before, after, begin, end))
            elif before >= begin and after < end:
                self.assertEqual(price, SALE, (before, after, begin, end))
        self.assertEqual({REGULAR, SALE}, {float(price) for _, price, _ in seen})

    def test_it_is_announced_once_and_in_order(self):
        since = time.time()
        product = self.shop.product(REGULAR)
        tails = [kafka.Tail(topic, since) for topic in ("ecommerce.pricing.flash_sale", "ecommerce.pricing.price")]
        for tail in tails:
            self.addCleanup(tail.close)
        sale = self.shop.must(201, self.schedule(product, 0.5, 0.5))
        sales, prices = ([], [])
        for tail, found in zip(tails, (sales, prices)):
            wait.until(lambda t=tail: len(t.messages(product["productId"])) >= 2, 30, "the events of the sale")
            found += [message.json for message in tail.messages(product["productId"])]
        self.assertEqual([event["eventType"] for event in sales],
                         ["ecommerce.pricing.flash_sale.started.v1", "ecommerce.pricing.flash_sale.ended.v1"])
        self.assertEqual({sale["saleId"]}, {event["payload"]["saleId"] for event in sales})
        self.assertEqual(float(sales[0]["payload"]["offers"][0]["regularPrice"]), REGULAR)
        self.assertEqual([(float(event["payload"]["price"]), event["payload"]["source"]) for event in prices],
                         [(SALE, "FLASH_SALE"), (REGULAR, "CATALOG")])

    def test_overrides_are_for_admins(self):
        product = self.shop.product(REGULAR, stock=100)
        for client in (self.shop.staff, self.shop.customer):
            refused = self.override(product["sku"], 20.00, client)
            self.assertEqual((refused.status, refused.json["code"]), (403, "ROLE_NOT_ALLOWED"), refused)
            refused = client.call("DELETE", f"/api/v1/price-overrides/{product['sku']}")
            self.assertEqual((refused.status, refused.json["code"]), (403, "ROLE_NOT_ALLOWED"), refused)
        self.assertEqual(self.price_in_cart(product["sku"]), REGULAR)
        self.shop.must(200, self.override(product["sku"], 20.00))
        self.assertEqual(self.price_in_cart(product["sku"]), 20.00)

        def ordered_price():
            return self.shop.must(201, self.shop.order([(product["sku"], 1)], key=unique("key")))["items"][0]["price"]
        wait.until(lambda: ordered_price() == 20, 10, "an order at the override's price")
        self.shop.must(200, self.admin.call("DELETE", f"/api/v1/price-overrides/{product['sku']}"))
        wait.until(lambda: ordered_price() == 25, 10, "an order at the catalogue's price")
        gone = self.admin.call("DELETE", f"/api/v1/price-overrides/{product['sku']}")
        self.assertEqual((gone.status, gone.json["code"]), (404, "PRICE_OVERRIDE_NOT_FOUND"))

    def test_a_change_of_a_price_fails_fast(self):
        product = self.shop.product(REGULAR)
        row = f"SELECT FROM product.product WHERE product_id = '{product['productId']}' FOR UPDATE"
        with postgres.locked(row):
            begun = time.monotonic()
            for answer in (self.override(product["sku"], 20.00), self.schedule(product, 60, 60)):
                self.assertEqual((answer.status, answer.json["code"]), (409, "PRODUCT_BUSY"), answer)
            self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(self.shop.must(200, self.shop.staff.get("/api/v1/flash-sales"))["sales"], [])
        self.shop.must(200, self.override(product["sku"], 20.00))

    def test_what_cannot_be_sold_so_is_refused(self):
        product = self.shop.product(REGULAR)
        self.shop.must(201, self.schedule(product, 60, 60))
        overlapping = self.schedule(product, 90, 60)
        self.assertEqual((overlapping.status, overlapping.json["code"], overlapping.json["field"]), (409, "SALE_OVERLAPS", "offers[0].sku"))
        dearer = self.schedule(product, 300, 60, price=25.01)
        self.assertEqual((dearer.status, dearer.json["field"]), (422, "offers[0].price"))
        for limit in 0, 1_000_001:
            unlimited = self.schedule(product, 300, 60, quantityLimit=limit)
            self.assertEqual((unlimited.status, unlimited.json["field"]), (422, "quantityLimit"))


if __name__ == "__main__":
    unittest.main()
