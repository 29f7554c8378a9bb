"""The customers of a scenario: a connection each, and what they were answered last."""

from support import http, patient
from support.shop import order_body, unique


class Person:
    def __init__(self, shop, name):
        self.name = name
        self.client = http.Client(shop.token(user=name.lower()))
        self.cart_id = None
        self.order_id = None
        # To what changes something, oldest first.
        self.answers = []

    @property
    def answer(self):
        return self.answers[-1]

    def put_into_cart(self, sku, qty):
        if self.cart_id is None:
            self.cart_id = _must(201, self.client.post("/api/v1/carts", {}))["cartId"]
        _must(200, self.client.call("PUT", f"/api/v1/carts/{self.cart_id}/items/{sku}", {"qty": qty}))

    def cart(self):
        return _must(200, self.client.get(f"/api/v1/carts/{self.cart_id}"))

    def place(self, items, key=None, **changes):
        """Orders (sku, qty) pairs, or the cart for none."""
        body = order_body(items, email=f"{self.name.lower()}@example.com", **changes)
        if not items:
            del body["items"]
        self.answers.append(self.client.post("/api/v1/orders", body, headers={"Idempotency-Key": key or unique("key")}))
        if self.answer.status == 201:
            self.order_id = self.answer.json["orderId"]
        return self.answer

    def change(self, verb, client=None, body=None):
        """Of the own order, by itself or by `client`."""
        self.answers.append(patient.post(client or self.client, f"/api/v1/orders/{self.order_id}/{verb}", body))
        return self.answer

    def order(self):
        return _must(200, self.client.get(f"/api/v1/orders/{self.order_id}"))

    def orders(self):
        return _must(200, self.client.get("/api/v1/orders"))["orders"]


class People:
    def __init__(self, shop):
        self._shop = shop
        self._by_name = {}

    def __getitem__(self, name):
        if name not in self._by_name:
            self._by_name[name] = Person(self._shop, name)
        return self._by_name[name]

    def close(self):
        for person in self._by_name.values():
            person.client.close()


def _must(status, answer):
    assert answer.status == status, f"expected {status}, got {answer}"
    return answer.json
