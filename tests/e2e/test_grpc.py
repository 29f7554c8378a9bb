"""Every service as a stock gRPC client finds it: reflection, health, an order without the gateway."""

import unittest

from support import contract, grpc, kafka, stack
from support.shop import ADDRESS, Shop

ORDER = "commerce.order.v1.Orders/CreateOrder"
INVENTORY = "commerce.inventory.v1.Inventory"


class Reflection(unittest.TestCase):
    def test_every_service_lists_and_describes_its_contract(self):
        for service in sorted({method.service for method in contract.methods()}):
            methods = [method for method in contract.methods() if method.service == service]
            address = stack.grpc_address(methods[0].context)
            with self.subTest(service):
                self.assertIn(service, grpc.grpcurl(address, "list").stdout.split())
                listed = grpc.grpcurl(address, "list", service).stdout.split()
                self.assertEqual(sorted(f"{method.service}.{method.name}" for method in methods), sorted(listed))
                for method in methods:
                    described = grpc.grpcurl(address, "describe", f"{method.service}.{method.name}")
                    self.assertEqual(described.returncode, 0, described.stderr)
                    self.assertIn(method.request, described.stdout)
                    self.assertEqual(grpc.grpcurl(address, "describe", method.request).returncode, 0)

    def test_every_service_is_healthy(self):
        for service in stack.SERVICES:
            with self.subTest(service):
                self.assertEqual(grpc.health(service), "SERVING")

    def test_every_service_has_metrics(self):
        for service in stack.SERVICES:
            with self.subTest(service):
                self.assertEqual(stack.metric(service, "bv_ready"), 1)


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.sku = cls.shop.product(12.50, stock=10)["sku"]

    def order(self, qty=1, **changes):
        return {"items": [{"sku": self.sku, "qty": qty}], "paymentMethod": "PAYMENT_METHOD_CARD",
                "shippingAddress": ADDRESS, "email": "ada@example.com", **changes}

    def test_an_order(self):
        since = kafka.now()
        answer = grpc.call("order", ORDER, self.order(2), self.shop.token(), idempotency_key="grpc-1", correlation_id="corr-grpc")
        self.assertEqual(answer.code, "OK", answer)
        self.assertEqual((answer.json["totalAmount"], answer.json["status"]), ("2500", "ORDER_STATUS_PENDING"))
        again = grpc.call("order", ORDER, self.order(2), self.shop.token(), idempotency_key="grpc-1")
        self.assertEqual(again.json["orderId"], answer.json["orderId"])
        read = grpc.call("order", "commerce.order.v1.Orders/GetOrder", {"orderId": answer.json["orderId"]}, self.shop.token())
        self.assertEqual(read.json, answer.json)
        with kafka.Tail(kafka.ORDERS, since) as tail:
            self.assertEqual(tail.find(answer.json["orderId"]).json["correlationId"], "corr-grpc")

    def test_codes_and_reasons(self):
        token = self.shop.token()
        for name, request, with_token, code, reason, field in (
                ("out of stock", self.order(11), token, "FAILED_PRECONDITION", "OUT_OF_STOCK", "items[0].qty"),
                ("unknown SKU", self.order(items=[{"sku": "NOBODY-HAS-IT", "qty": 1}]), token,
                 "INVALID_ARGUMENT", "ITEM_NOT_SOLD", "items[0]"),
                ("no items", self.order(items=[]), token, "INVALID_ARGUMENT", "INVALID_VALUE", "items"),
                ("no token", self.order(), None, "UNAUTHENTICATED", "TOKEN_MISSING", ""),
                ("wrong role", self.order(), self.shop.token("SERVICE"), "PERMISSION_DENIED", "ROLE_NOT_ALLOWED", "")):
            with self.subTest(name):
                answer = grpc.call("order", ORDER, request, with_token)
                self.assertEqual((answer.code, answer.reason, answer.field), (code, reason, field), answer)

    def test_reserve_and_release(self):
        token, sku = self.shop.token("STAFF"), self.shop.product(1.00, stock=3)["sku"]
        request = {"reservationId": "res-1", "lines": [{"sku": sku, "qty": 2}]}
        held = grpc.call("inventory", f"{INVENTORY}/ReserveStock", request, token)
        self.assertEqual((held.code, held.json.get("status")), ("OK", "RESERVATION_STATUS_HELD"), held)
        self.assertEqual(grpc.call("inventory", f"{INVENTORY}/ReserveStock", request, token).json, held.json)
        other = grpc.call("inventory", f"{INVENTORY}/ReserveStock", {**request, "lines": [{"sku": sku, "qty": 1}]}, token)
        self.assertEqual((other.code, other.reason), ("ALREADY_EXISTS", "RESERVATION_MISMATCH"))
        self.assertEqual(self.shop.stock(sku)["reserved"], 2)
        for _ in range(2):
            released = grpc.call("inventory", f"{INVENTORY}/ReleaseStock", {"reservationId": "res-1"}, token)
            self.assertEqual((released.code, released.json.get("status")), ("OK", "RESERVATION_STATUS_RELEASED"))
        self.assertEqual(self.shop.stock(sku)["reserved"], 0)
        unknown = grpc.call("inventory", f"{INVENTORY}/ReleaseStock", {"reservationId": "res-2"}, token)
        self.assertEqual((unknown.code, unknown.reason), ("NOT_FOUND", "RESERVATION_NOT_FOUND"))


if __name__ == "__main__":
    unittest.main()
