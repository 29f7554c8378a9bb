"""What it takes beside the role: OPA decides by the rules of deploy/opa, and without a decision nothing is done."""

import json
import os
import pathlib
import signal
import socket
import time
import unittest
import urllib.error
import urllib.request

from support import http, stack, wait
from support.shop import Shop, unique

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def listens():
    host, port = stack.env("BV_OPA_ADDRESS").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def decisions_about(resource):
    """The lines of the services' logs about a thing, oldest first."""
    logs = pathlib.Path(stack.env("BV_JWKS_FILE")).parent / "logs"
    lines = [line for name in ("order", "product") for line in (logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()]
    return [json.loads(line) for line in lines if '"policy decision"' in line and f'"{resource}"' in line]


class Policies(unittest.TestCase):
    def setUp(self):
        stack.await_ready("opa", "order", "product", "inventory", "gateway")
        self.addCleanup(stack.await_ready)
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.admin = http.Client(self.shop.token("ADMIN", "root"))
        self.addCleanup(self.admin.close)
        self.sku = self.shop.product(25.00, stock=1000)["sku"]

    def order(self, paid=False):
        placed = self.shop.must(201, self.shop.order([(self.sku, 1)], unique("key")))["orderId"]
        if paid:
            self.shop.must(200, self.shop.customer.post(f"/api/v1/orders/{placed}/pay", {}))
        return placed

    def cancel(self, client, order, key=None, **headers):
        return client.call("POST", f"/api/v1/orders/{order}/cancel", {}, headers={"Idempotency-Key": key or unique("key"), **headers})

    def status(self, order):
        return self.shop.must(200, self.shop.staff.get(f"/api/v1/orders/{order}"))["status"]

    def override(self, client, price=20.00):
        return client.call("PUT", f"/api/v1/price-overrides/{self.sku}", {"price": price, "currency": "USD"})

    def assert_refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)

    def test_a_customer_cancels_an_own_pending_order_once(self):
        order, key = self.order(), unique("key")
        self.assertEqual(self.shop.must(200, self.cancel(self.shop.customer, order, key))["status"], "CANCELED")
        again = self.cancel(self.shop.customer, order, key)
        self.assertEqual(self.shop.must(200, again)["status"], "CANCELED", "a repeat is no second decision")
        self.assert_refused(self.cancel(self.shop.customer, order), 409, "ORDER_STATE")

    def test_a_customer_cancels_nothing_else(self):
        paid, pending = self.order(paid=True), self.order()
        answer = self.cancel(self.shop.customer, paid)
        self.assert_refused(answer, 403, "POLICY_DENIED")
        self.assertIn("only while it is PENDING", answer.json["detail"])
        self.assertEqual(self.status(paid), "PAID")
        with_token = {"Authorization": f"Bearer {self.shop.token('CUSTOMER', 'bob')}"}
        self.assert_refused(self.cancel(self.shop.customer, pending, **with_token), 404, "ORDER_NOT_FOUND")
        self.assertEqual(self.status(pending), "PENDING")

    def test_the_shop_cancels_what_is_paid(self):
        for client in (self.shop.staff, self.admin):
            order = self.order(paid=True)
            self.assertEqual(self.shop.must(200, self.cancel(client, order))["status"], "CANCELED")

    def test_only_an_admin_overrides_a_price(self):
        self.assert_refused(self.override(self.shop.staff), 403, "ROLE_NOT_ALLOWED")
        self.assert_refused(self.override(self.shop.customer), 403, "ROLE_NOT_ALLOWED")
        self.shop.must(200, self.override(self.admin))
        self.shop.must(200, self.admin.call("DELETE", f"/api/v1/price-overrides/{self.sku}"))

    def test_a_decision_is_in_the_log(self):
        order, correlation = self.order(paid=True), unique("corr")
        self.assert_refused(self.cancel(self.shop.customer, order, **{"Correlation-Id": correlation}), 403, "POLICY_DENIED")
        (line,) = wait.until(lambda: decisions_about(order), what="the decision in the log")
        said = {name: line.get(name) for name in ("action", "role", "resource", "result", "userId", "tenantId", "correlationId")}
        self.assertEqual(said, {"action": "order.cancel", "role": "CUSTOMER", "resource": "order", "result": "deny", "userId": "ada",
                                "tenantId": self.shop.tenant, "correlationId": correlation})

    def assert_fails_closed(self, pending, transfer):
        """Without OPA: what needs a decision is refused and changes nothing, all else goes on."""
        money = {"amount": 25.00, "currency": "USD", "reference": "statement 1"}
        for answer in (self.cancel(self.shop.customer, pending), self.cancel(self.shop.staff, pending), self.override(self.admin),
                       self.shop.staff.post(f"/api/v1/orders/{transfer}/confirm-payment", money)):
            self.assert_refused(answer, 503, "POLICY_UNAVAILABLE")
            self.assertTrue(answer.headers["Retry-After"])
        self.assertEqual((self.status(pending), self.status(transfer)), ("PENDING", "PENDING"))
        self.order(paid=True)

    def orders(self):
        transfer = self.shop.must(201, self.shop.order([(self.sku, 1)], unique("key"), paymentMethod="BANK_TRANSFER"))["orderId"]
        return self.order(), transfer

    def test_opa_hangs(self):
        pending, transfer = self.orders()
        pid = stack.send_signal("opa", signal.SIGSTOP)
        try:
            begun = time.monotonic()
            self.assert_fails_closed(pending, transfer)
            self.assertLess(time.monotonic() - begun, 15, "a hanging OPA holds callers up")
        finally:
            os.kill(pid, signal.SIGCONT)
        wait.until(lambda: self.cancel(self.shop.customer, pending).status == 200, what="decisions again")

    def test_opa_killed(self):
        # It needs longer to start than an answer takes, most of the time.
        for _ in range(5):
            pending, transfer = self.orders()
            pid = stack.send_signal("opa", signal.SIGKILL)
            wait.until(lambda: not listens(), what="OPA's end", every=0.005)
            answer = self.cancel(self.shop.customer, pending)
            if answer.status != 200:
                break
            stack.await_restart("opa", pid)
        self.assert_refused(answer, 503, "POLICY_UNAVAILABLE")
        stack.await_restart("opa", pid)
        self.shop.must(200, self.cancel(self.shop.customer, pending))
        self.shop.must(200, self.shop.staff.post(f"/api/v1/orders/{transfer}/confirm-payment",
                                                 {"amount": 25.00, "currency": "USD", "reference": "statement 1"}))

    def test_nobody_changes_the_rules_of_a_running_opa(self):
        for method, path in (("PUT", "/v1/policies/authz"), ("PUT", "/v1/data/permissions"), ("DELETE", "/v1/policies/authz"),
                             ("GET", "/v1/policies"), ("GET", "/v1/data"), ("POST", "/v1/query"), ("POST", "/v1/data/commerce/authz")):
            request = urllib.request.Request(f"http://{stack.env('BV_OPA_ADDRESS')}{path}", data=b"{}", method=method)
            with self.subTest(f"{method} {path}"), self.assertRaises(urllib.error.HTTPError) as refused:
                _DIRECT.open(request, timeout=10)
            self.assertEqual(refused.exception.code, 401)


if __name__ == "__main__":
    unittest.main()
