"""The main path: product → stock → order by REST, its rows, its event, its stock."""

import re
import time
import unittest

from support import kafka, postgres, wait
from support.shop import ADDRESS, Shop, order_body, unique

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE_ID = TRACEPARENT.split("-")[1]
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


class MainPath(unittest.TestCase):
    """One order of 2 × 25.00 and 1 × 79.50, looked at from every side."""

    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.first = cls.shop.product(25.00, stock=10)
        cls.second = cls.shop.product(79.50, stock=10)
        cls.items = [(cls.first["sku"], 2), (cls.second["sku"], 1)]
        cls.stock_before = cls.shop.stock(cls.first["sku"])
        cls.since = kafka.now()
        cls.asked = time.time()
        cls.answer = cls.shop.customer.post("/api/v1/orders", order_body(cls.items), headers={
            "Idempotency-Key": unique("key"), "Correlation-Id": "corr-main-path", "traceparent": TRACEPARENT})
        cls.order = cls.shop.must(201, cls.answer)
        cls.id = cls.order["orderId"]
        with kafka.Tail(kafka.ORDERS, cls.since) as tail:
            cls.event = tail.find(cls.id)

    def test_answer(self):
        self.assertEqual(self.answer.headers["Location"], f"/api/v1/orders/{self.id}")
        self.assertEqual(self.answer.headers["Content-Type"], "application/json")
        self.assertEqual(self.answer.headers["Correlation-Id"], "corr-main-path")
        self.assertRegex(self.id, r"^ord_[0-9a-hjkmnp-tv-z]{26}$")
        self.assertEqual((self.order["status"], self.order["paymentStatus"], self.order["fulfillmentStatus"]),
                         ("PENDING", "PENDING", "UNFULFILLED"))
        self.assertEqual((self.order["userId"], self.order["currency"], self.order["email"]), ("ada", "USD", "ada@example.com"))
        self.assertEqual(self.order["shippingAddress"], ADDRESS)
        self.assertEqual([(item["productId"], item["sku"], item["qty"]) for item in self.order["items"]],
                         [(self.first["productId"], self.first["sku"], 2), (self.second["productId"], self.second["sku"], 1)])
        self.assertRegex(self.order["createdAt"], rf"^{MOMENT}$")

    def test_money_is_the_decimal_number(self):
        self.assertIn('"totalAmount":129.50,', self.answer.text)
        self.assertEqual(re.findall(r'"price":([^,}]*)', self.answer.text), ["25.00", "79.50"])

    def test_reading_it_gives_the_same(self):
        read = self.shop.customer.get(self.answer.headers["Location"])
        self.assertEqual(read.status, 200)
        self.assertEqual(read.text, self.answer.text)

    def test_rows(self):
        where = f"WHERE tenant_id = '{self.shop.tenant}' AND order_id = '{self.id}'"
        (order,) = postgres.rows(f"SELECT user_id, status, payment_status, fulfillment_status, payment_method, total_amount, currency, "
                                 f"email, version FROM orders.orders {where}")
        self.assertEqual(order, {"user_id": "ada", "status": "PENDING", "payment_status": "PENDING",
                                 "fulfillment_status": "UNFULFILLED", "payment_method": "CARD", "total_amount": 12950,
                                 "currency": "USD", "email": "ada@example.com", "version": 1})
        items = postgres.rows(f"SELECT sku, qty, price FROM orders.order_items {where} ORDER BY position")
        self.assertEqual(items, [{"sku": self.first["sku"], "qty": 2, "price": 2500},
                                 {"sku": self.second["sku"], "qty": 1, "price": 7950}])
        history = postgres.rows(f"SELECT version, status, actor FROM orders.order_status_history {where}")
        self.assertEqual(history, [{"version": 1, "status": "PENDING", "actor": "ada"}])

    def test_event_is_the_canonical_envelope(self):
        number = postgres.value(f"SELECT id::text FROM outbox.event WHERE aggregateid = '{self.id}'")
        created_at = self.order["createdAt"]
        # Compared as text: names, their order and the form of numbers are the contract.
        self.assertEqual(self.event.value, (
            f'{{"eventId":"{number}","eventType":"ecommerce.order.order.created.v1","occurredAt":"{created_at}",'
            f'"producer":"order-service","traceId":"{TRACE_ID}","correlationId":"corr-main-path","schemaVersion":"1.1",'
            f'"partitionKey":"{self.id}","payload":{{"orderId":"{self.id}","userId":"ada","totalAmount":129.50,"currency":"USD",'
            f'"items":[{{"productId":"{self.first["productId"]}","qty":2,"price":25.00}},'
            f'{{"productId":"{self.second["productId"]}","qty":1,"price":79.50}}],"storeCode":"default"}}}}'))
        self.assertRegex(number, f"^{UUID}$")

    def test_event_is_byte_for_byte_the_outbox_row(self):
        self.assertEqual(self.event.value, postgres.value(f"SELECT payload FROM outbox.event WHERE aggregateid = '{self.id}'"))

    def test_event_headers(self):
        header, envelope = self.event.header, self.event.json
        self.assertEqual(len(header), len(self.event.headers), "a header is there twice")
        self.assertEqual({name: header.get(name) for name in (
            "ce_specversion", "ce_id", "ce_type", "ce_partitionkey", "tenantId", "aggregateVersion")}, {
                "ce_specversion": "1.0", "ce_id": envelope["eventId"], "ce_type": envelope["eventType"], "ce_partitionkey": self.id,
                "tenantId": self.shop.tenant, "aggregateVersion": "1"})
        self.assertEqual(header["ce_time"], envelope["occurredAt"])
        self.assertTrue(header["ce_source"])
        self.assertRegex(header["traceparent"], rf"^00-{TRACE_ID}-[0-9a-f]{{16}}-01$")
        self.assertEqual(self.event.key, self.id)

    def test_stock_is_reserved(self):
        after = self.shop.stock(self.first["sku"])
        self.assertEqual((self.stock_before["onHand"], self.stock_before["reserved"], self.stock_before["available"]), (10, 0, 10))
        self.assertEqual((after["onHand"], after["reserved"], after["available"]), (10, 2, 8))

    def test_stock_event(self):
        with kafka.Tail(kafka.STOCK, self.since) as tail:
            event = wait.until(lambda: [message for message in tail.messages(self.first["productId"])
                                        if message.json["correlationId"] == "corr-main-path"], what="the event of the stock")[0]
        self.assertEqual(list(event.json), ["eventId", "eventType", "occurredAt", "producer", "traceId", "correlationId",
                                            "schemaVersion", "partitionKey", "payload"])
        payload = event.json["payload"]
        self.assertEqual((event.json["eventType"], event.json["producer"], payload["sku"], payload["delta"], payload["reason"]),
                         ("ecommerce.inventory.stock.adjusted.v1", "inventory-service", self.first["sku"], -2, "RESERVED"))
        (location,) = payload["locations"]
        self.assertEqual(location, {"locationCode": "MAIN", "onHand": 10, "reserved": 2, "available": 8, "version": 2})


class Orders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)

    def orders_stored(self):
        return postgres.value(f"SELECT count(*) FROM orders.orders WHERE tenant_id = '{self.shop.tenant}'")

    def test_a_product_of_one_variant_may_be_named_by_its_id(self):
        product = self.shop.product(3.10, stock=5)
        answer = self.shop.customer.post("/api/v1/orders", {
            **order_body([]), "items": [{"productId": product["productId"], "qty": 3}]})
        self.assertEqual(self.shop.must(201, answer)["items"][0]["sku"], product["sku"])
        self.assertIn('"totalAmount":9.30,', answer.text)

    def test_the_same_sku_twice_is_added_up(self):
        sku = self.shop.product(1.00, stock=5)["sku"]
        order = self.shop.must(201, self.shop.order([(sku, 2), (sku, 3)]))
        self.assertEqual([(item["sku"], item["qty"]) for item in order["items"]], [(sku, 5)])
        self.assertEqual(self.shop.stock(sku)["available"], 0)

    def test_currencies_have_their_own_digits(self):
        for currency, price, total in (("JPY", 1500, "3000"), ("KWD", 1.234, "2.468"), ("EUR", 0.10, "0.20")):
            with self.subTest(currency):
                sku = self.shop.product(price, stock=2, currency=currency)["sku"]
                answer = self.shop.order([(sku, 2)], currency=currency)
                self.shop.must(201, answer)
                self.assertIn(f'"totalAmount":{total},', answer.text)

    def test_payment_decides_the_payment_status(self):
        sku = self.shop.product(1.00, stock=9)["sku"]
        for method, status in (("CARD", "PENDING"), ("BANK_TRANSFER", "PENDING"), ("CASH_ON_DELIVERY", "DUE_ON_DELIVERY")):
            with self.subTest(method):
                self.assertEqual(self.shop.must(201, self.shop.order([(sku, 1)], paymentMethod=method))["paymentStatus"], status)

    def test_a_price_change_holds_for_new_orders_only(self):
        product = self.shop.product(10.00, stock=1000)
        sku = product["sku"]
        before = self.shop.must(201, self.shop.order([(sku, 1)]))
        changed = self.shop.staff.call("PATCH", f"/api/v1/products/{product['productId']}", {
            "variants": [{"sku": sku, "price": 12.34, "currency": "USD"}], "expectedVersion": product["version"]})
        self.shop.must(200, changed)
        # Order keeps prices until product's event says that they have changed, which takes moments.
        wait.until(lambda: '"totalAmount":12.34,' in self.shop.order([(sku, 1)]).text, 5, "an order at the new price")
        self.assertIn('"totalAmount":10.00,', self.shop.customer.get(f"/api/v1/orders/{before['orderId']}").text)
        history = postgres.rows(f"SELECT price, valid_to IS NULL AS current FROM product.product_price_history JOIN product.variant "
                                f"USING (tenant_id, variant_id) WHERE sku = '{sku}' ORDER BY valid_from")
        self.assertEqual(history, [{"price": 1000, "current": False}, {"price": 1234, "current": True}])

    def test_repeat_with_the_same_key_answers_with_the_first_order(self):
        sku = self.shop.product(1.00, stock=9)["sku"]
        before, key = self.orders_stored(), unique("key")
        first = self.shop.order([(sku, 2)], key)
        self.shop.must(201, first)
        for _ in range(3):
            again = self.shop.order([(sku, 2)], key)
            self.assertEqual((again.status, again.json["orderId"], again.headers["Location"]),
                             (201, first.json["orderId"], first.headers["Location"]))
        self.assertEqual(self.orders_stored() - before, 1)
        self.assertEqual(self.shop.stock(sku)["reserved"], 2)

    def test_another_request_under_the_key_is_refused(self):
        sku = self.shop.product(1.00, stock=9)["sku"]
        key = unique("key")
        self.shop.must(201, self.shop.order([(sku, 1)], key))
        before = self.orders_stored()
        other = self.shop.order([(sku, 2)], key)
        self.assertEqual((other.status, other.json["code"]), (422, "IDEMPOTENCY_KEY_REUSED"))
        self.assertEqual((self.orders_stored() - before, self.shop.stock(sku)["reserved"]), (0, 1))

    def test_keys_of_two_customers_are_apart(self):
        sku = self.shop.product(1.00, stock=9)["sku"]
        key = unique("key")
        first = self.shop.must(201, self.shop.order([(sku, 1)], key))
        self.shop.customer.token = self.shop.token(user="bob")
        self.addCleanup(setattr, self.shop.customer, "token", self.shop.token())
        self.assertNotEqual(self.shop.must(201, self.shop.order([(sku, 1)], key))["orderId"], first["orderId"])

    def test_out_of_stock_takes_nothing_of_the_order(self):
        plenty, scarce = self.shop.product(1.00, stock=9)["sku"], self.shop.product(1.00, stock=2)["sku"]
        before = self.orders_stored()
        answer = self.shop.order([(plenty, 1), (scarce, 3)])
        self.assertEqual((answer.status, answer.json["code"], answer.json["field"]), (409, "OUT_OF_STOCK", "items[1].qty"))
        self.assertEqual(self.orders_stored(), before)
        self.assertEqual((self.shop.stock(plenty)["reserved"], self.shop.stock(scarce)["reserved"]), (0, 0))

    def test_the_last_piece_is_sold_once(self):
        sku = self.shop.product(1.00, stock=1)["sku"]
        self.assertEqual([self.shop.order([(sku, 1)]).status for _ in range(3)], [201, 409, 409])

    def test_stock_of_several_locations_is_one_stock(self):
        sku = self.shop.product(1.00)["sku"]
        self.shop.stock_up(sku, 2, "EAST")
        self.shop.stock_up(sku, 3, "WEST")
        self.shop.must(201, self.shop.order([(sku, 4)]))
        stock = self.shop.stock(sku)
        self.assertEqual((stock["onHand"], stock["available"]), (5, 1))
        self.assertEqual(sum(location["reserved"] for location in stock["locations"]), 4)

    def test_list_is_paged_newest_first(self):
        sku = self.shop.product(1.00, stock=20)["sku"]
        user = unique("user")
        self.shop.customer.token = self.shop.token(user=user)
        self.addCleanup(setattr, self.shop.customer, "token", self.shop.token())
        placed = [self.shop.must(201, self.shop.order([(sku, 1)]))["orderId"] for _ in range(5)]
        seen, token = [], ""
        for _ in range(3):
            page = self.shop.must(200, self.shop.customer.get(f"/api/v1/orders?pageSize=2&pageToken={token}"))
            seen.append([order["orderId"] for order in page["orders"]])
            token = page["nextPageToken"]
        self.assertEqual(seen, [placed[:2:-1], placed[2:0:-1], placed[:1]])
        self.assertEqual(token, "")

    def test_staff_reads_what_a_customer_ordered_and_another_customer_does_not(self):
        sku = self.shop.product(1.00, stock=1)["sku"]
        path = f"/api/v1/orders/{self.shop.must(201, self.shop.order([(sku, 1)]))['orderId']}"
        self.assertEqual(self.shop.staff.get(path).status, 200)
        stranger = {"Authorization": f"Bearer {self.shop.token(user='eve')}"}
        self.assertEqual(self.shop.customer.get(path, headers=stranger).status, 404)
        self.assertEqual(self.shop.customer.get("/api/v1/orders?userId=ada", headers=stranger).status, 403)


if __name__ == "__main__":
    unittest.main()
