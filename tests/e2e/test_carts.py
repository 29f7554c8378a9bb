"""From a visitor's cart to the order of the person who logged in."""

import unittest

from support import postgres
from support.shop import Shop, order_body, unique


class Carts(unittest.TestCase):
    def setUp(self):
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.tent, self.stove = self.shop.product(249.00, stock=5)["sku"], self.shop.product(64.75, stock=5)["sku"]

    def cart(self, **body):
        return self.shop.must(201, self.shop.customer.post("/api/v1/carts", body))

    def put(self, cart, sku, qty, **body):
        return self.shop.customer.call("PUT", f"/api/v1/carts/{cart['cartId']}/items/{sku}", {"qty": qty, **body})

    def test_totals_come_from_the_catalogue(self):
        cart = self.cart()
        self.assertEqual((cart["items"], cart["userId"]), ([], "ada"))
        self.shop.must(200, self.put(cart, self.tent, 1))
        answer = self.put(cart, self.stove, 2)
        self.assertIn('"totalAmount":378.50,', answer.text)
        self.assertEqual([(item["sku"], item["qty"]) for item in self.shop.must(200, answer)["items"]],
                         [(self.tent, 1), (self.stove, 2)])
        removed = self.shop.must(200, self.shop.customer.call("DELETE", f"/api/v1/carts/{cart['cartId']}/items/{self.tent}"))
        self.assertEqual([item["sku"] for item in removed["items"]], [self.stove])
        self.assertEqual(self.shop.must(200, self.put(cart, self.stove, 0))["items"], [])

    def test_order_by_cart(self):
        cart = self.cart()
        self.put(cart, self.stove, 2)
        self.put(cart, self.tent, 1)
        body = order_body([], cartId=cart["cartId"])
        del body["items"]
        answer = self.shop.customer.post("/api/v1/orders", body, headers={"Idempotency-Key": unique("key")})
        order = self.shop.must(201, answer)
        self.assertIn('"totalAmount":378.50,', answer.text)
        self.assertEqual(sorted((item["sku"], item["qty"]) for item in order["items"]), sorted([(self.stove, 2), (self.tent, 1)]))
        self.assertEqual(self.shop.stock(self.stove)["reserved"], 2)

    def test_an_empty_cart_cannot_be_ordered(self):
        body = order_body([], cartId=self.cart()["cartId"])
        del body["items"]
        answer = self.shop.customer.post("/api/v1/orders", body)
        self.assertEqual((answer.status, answer.json["code"], answer.json["field"]), (409, "CART_EMPTY", "cartId"))

    def test_merge_at_log_in_adds_up_and_closes_the_session_cart(self):
        session = unique("session-secret")
        visitor = self.cart(sessionId=session)
        self.assertEqual(visitor["userId"], "")
        self.shop.must(200, self.put(visitor, self.stove, 2, sessionId=session))
        own = self.cart()
        self.shop.must(200, self.put(own, self.stove, 1))
        for _ in range(2):  # repeated, it changes nothing
            merged = self.shop.must(200, self.shop.customer.post("/api/v1/carts:merge", {"sessionId": session}))
            self.assertEqual(merged["cartId"], own["cartId"])
            self.assertEqual([(item["sku"], item["qty"]) for item in merged["items"]], [(self.stove, 3)])
        gone = self.shop.customer.get(f"/api/v1/carts/{visitor['cartId']}?sessionId={session}")
        self.assertEqual((gone.status, gone.json["code"]), (404, "CART_NOT_FOUND"))

    def test_a_cart_is_its_owners(self):
        own, session = self.cart(), unique("session-secret")
        visitor = self.cart(sessionId=session)
        stranger = {"Authorization": f"Bearer {self.shop.token(user='eve')}"}
        for path in (f"/api/v1/carts/{own['cartId']}", f"/api/v1/carts/{visitor['cartId']}",
                     f"/api/v1/carts/{visitor['cartId']}?sessionId={unique('session-guess')}"):
            with self.subTest(path):
                self.assertEqual(self.shop.customer.get(path, headers=stranger).status, 404)
        self.assertEqual(self.shop.customer.get(f"/api/v1/carts/{visitor['cartId']}?sessionId={session}").status, 200)

    def test_an_expired_cart_is_gone(self):
        cart = self.cart()
        postgres.execute(f"UPDATE cart.cart SET expires_at = now() - interval '1 second' WHERE cart_id = '{cart['cartId']}'")
        self.assertEqual(self.shop.customer.get(f"/api/v1/carts/{cart['cartId']}").status, 404)


if __name__ == "__main__":
    unittest.main()
