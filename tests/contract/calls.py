"""The calls whose answers are golden: one shop's day, in order. Each is made once, by the gateway of the running stack."""

import typing

from support import http
from support.shop import ADDRESS, Shop, order_body, unique

STOCK = {"TENT": 20, "STOVE": 20, "LAST-ONE": 1}


class Call(typing.NamedTuple):
    name: str  # of its file
    who: str
    method: str
    path: str
    body: typing.Any
    answer: http.Answer


class Day:
    """Makes the calls; what came of one is there for the next."""

    def __init__(self):
        self.shop = Shop()
        self.calls = []
        self._clients = {"staff": self.shop.staff, "customer": self.shop.customer, "nobody": http.Client(), "anyone": self.shop.anyone,
                         "admin": http.Client(self.shop.token("ADMIN", "wanda")), "stranger": http.Client(self.shop.token(user="eve"))}
        self._key = unique("key")

    def close(self):
        for client in self._clients.values():
            client.close()

    def all(self):
        self._catalogue()
        self._cart()
        self._orders()
        self._lives()
        self._prices()
        self._webhooks()
        self._problems()
        return self.calls

    def _call(self, name, who, method, path, body=None, key=None, raw=None, headers=None):
        """The answer's body; `path` may have an id of one before."""
        sent = {"Idempotency-Key": key or unique("key")} if method in ("POST", "PUT", "DELETE", "PATCH") else {}
        answer = self._clients[who].call(method, path, body, {**sent, **(headers or {})}, raw)
        self.calls.append(Call(name, who, method, path, raw.decode() if raw is not None else body, answer))
        return answer.json if answer.text else None

    def _catalogue(self):
        created = self._call("product_create", "staff", "POST", "/api/v1/products", {
            "title": "Tent", "description": "For two.", "vendorId": "northwind",
            "variants": [{"sku": "TENT", "price": 249.00, "currency": "USD", "fulfillmentType": "PHYSICAL"}]})
        path = f"/api/v1/products/{created['productId']}"
        self._call("product_get", "anyone", "GET", path)
        self._call("product_update", "staff", "PATCH", path, {"title": "Tent for two", "expectedVersion": created["version"]})
        self._call("product_update_of_an_old_version", "staff", "PATCH", path, {"title": "Tent for three", "expectedVersion": created["version"]})
        self._call("product_list", "anyone", "GET", "/api/v1/products?pageSize=5&sku=TENT")
        for sku in ("STOVE", "LAST-ONE"):
            self.shop.product(64.75, sku)
        self._call("product_list_page", "anyone", "GET", "/api/v1/products?pageSize=1")
        self._call("stock_adjust", "staff", "POST", "/api/v1/inventory/TENT/adjustments",
                   {"delta": STOCK["TENT"], "reason": "RECEIVED", "locationCode": "MAIN"})
        for sku in ("STOVE", "LAST-ONE"):
            self.shop.stock_up(sku, STOCK[sku])
        self._call("stock_get", "anyone", "GET", "/api/v1/inventory/TENT")

    def _cart(self):
        cart = self._call("cart_create", "customer", "POST", "/api/v1/carts", {})
        self._cart_id = cart["cartId"]
        self._call("cart_set_item", "customer", "PUT", f"/api/v1/carts/{self._cart_id}/items/STOVE", {"qty": 2})
        self._call("cart_get", "customer", "GET", f"/api/v1/carts/{self._cart_id}")
        self._call("cart_of_another", "stranger", "GET", f"/api/v1/carts/{self._cart_id}")

    def _orders(self):
        body = order_body([("TENT", 2), ("STOVE", 1)])
        self._order = self._call("order_create", "customer", "POST", "/api/v1/orders", body, self._key)
        path = f"/api/v1/orders/{self._order['orderId']}"
        self._call("order_repeat", "customer", "POST", "/api/v1/orders", body, self._key)
        self._call("order_key_reused", "customer", "POST", "/api/v1/orders", order_body([("STOVE", 1)]), self._key)
        by_cart = {name: part for name, part in order_body([], cartId=self._cart_id).items() if name != "items"}
        self._second = self._call("order_of_a_cart", "customer", "POST", "/api/v1/orders", by_cart)
        self._call("order_get", "customer", "GET", path)
        self._call("order_of_another", "stranger", "GET", path)
        self._call("order_list", "customer", "GET", "/api/v1/orders?pageSize=1")
        self._call("order_list_of_another", "stranger", "GET", "/api/v1/orders?userId=ada")
        self._call("order_out_of_stock", "customer", "POST", "/api/v1/orders", order_body([("LAST-ONE", 2)]))

    def _lives(self):
        path = f"/api/v1/orders/{self._order['orderId']}"
        self._call("order_fulfill_unpaid", "staff", "POST", f"{path}/fulfill", {})
        self._call("order_pay", "customer", "POST", f"{path}/pay", {})
        self._call("order_fulfill", "staff", "POST", f"{path}/fulfill", {})
        self._call("order_history", "customer", "GET", f"{path}/history")
        self._call("order_cancel_shipped", "staff", "POST", f"{path}/cancel", {})
        self._call("order_cancel", "customer", "POST", f"/api/v1/orders/{self._second['orderId']}/cancel", {})
        self._call("order_cancel_again", "customer", "POST", f"/api/v1/orders/{self._second['orderId']}/cancel", {})

    def _prices(self):
        self._call("price_override_set", "admin", "PUT", "/api/v1/price-overrides/STOVE", {"price": 49.90, "currency": "USD"})
        self._call("price_override_remove", "admin", "DELETE", "/api/v1/price-overrides/STOVE")
        self._call("price_override_by_staff", "staff", "PUT", "/api/v1/price-overrides/STOVE", {"price": 1, "currency": "USD"})
        self._call("flash_sale_list", "staff", "GET", "/api/v1/flash-sales")

    def _webhooks(self):
        base = "/api/v1/webhooks/subscriptions"
        made = self._call("webhook_create", "admin", "POST", base, {"url": "https://hooks.example.com/bivouac", "eventTypes": ["ecommerce.order.*"]})
        path = f"{base}/{made['subscriptionId']}"
        self._call("webhook_get", "admin", "GET", path)
        self._call("webhook_list", "admin", "GET", base)
        self._call("webhook_pause", "admin", "POST", f"{path}/pause", {})
        self._call("webhook_url_refused", "admin", "POST", base, {"url": "https://10.0.0.1/", "eventTypes": ["ecommerce.order.*"]})
        self._call("webhook_type_unknown", "admin", "POST", base, {"url": "https://hooks.example.com/", "eventTypes": ["ecommerce.ordr.*"]})
        self._call("webhook_deliveries", "admin", "GET", "/api/v1/webhooks/deliveries?status=FAILED")
        self._call("webhook_by_customer", "customer", "GET", base)

    def _problems(self):
        orders = "/api/v1/orders"
        self._call("malformed_json", "customer", "POST", orders, raw=b'{"items":[}')
        self._call("unknown_field", "customer", "POST", orders, {**order_body([("TENT", 1)]), "coupon": "FREE"})
        self._call("wrong_type", "customer", "POST", orders, order_body([("TENT", "two")]))
        self._call("invalid_value", "customer", "POST", orders, order_body([("TENT", 0)]))
        self._call("invalid_address", "customer", "POST", orders, order_body([("TENT", 1)], shippingAddress={**ADDRESS, "countryCode": "usa"}))
        self._call("key_missing", "customer", "POST", orders, order_body([("TENT", 1)]), headers={"Idempotency-Key": None})
        self._call("parameter_unknown", "customer", "GET", f"{orders}?colour=red")
        self._call("page_token_invalid", "customer", "GET", f"{orders}?pageToken=x")
        self._call("not_logged_in", "nobody", "GET", orders)
        self._call("token_malformed", "nobody", "GET", orders, headers={"Authorization": "Bearer x"})
        self._call("token_expired", "nobody", "GET", orders, headers={"Authorization": f"Bearer {self.shop.token(lifetime=-3600)}"})
        self._call("role_not_allowed", "customer", "POST", "/api/v1/products", {})
        self._call("order_not_found", "customer", "GET", f"{orders}/ord_00000000000000000000000000")
        self._call("route_not_found", "customer", "GET", "/api/v1/nothing")
        self._call("method_not_allowed", "customer", "DELETE", orders)
        self._call("media_type", "customer", "POST", orders, raw=b"<order/>", headers={"Content-Type": "text/xml"})
