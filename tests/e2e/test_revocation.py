"""A token or a person that was revoked is soon refused by everything that checks tokens, and staff may do what they were given.

By services/identity, as an administrator does it."""

import signal
import time
import unittest

from websockets.exceptions import InvalidStatus

from support import contract, grpc, http, stack, wait
from support.shop import Shop, unique
from support.sockets import Socket

# It takes some ten milliseconds; a machine may be busy with something else.
WITHIN = 10.0
REVOKED = ("UNAUTHENTICATED", "TOKEN_REVOKED")
LIST_ORDERS = "commerce.order.v1.Orders/ListOrders"
ADJUST_STOCK = "commerce.inventory.v1.Inventory/AdjustStock"


class Revoking(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.admin = self.client(self.shop.token("ADMIN", "root"))

    def client(self, token):
        client = http.Client(token)
        self.addCleanup(client.close)
        return client

    def at_gateway(self, token):
        """(status, code)"""
        answer = self.client(token).get("/api/v1/orders")
        return answer.status, answer.json.get("code")

    def assert_refused_soon(self, token):
        """At the gateway, at a service's own port and at a socket."""
        wait.until(lambda: self.at_gateway(token) == (401, "TOKEN_REVOKED"), WITHIN, "refused at the gateway", every=0.01)
        wait.until(lambda: self.at_service(token) == REVOKED, WITHIN, "refused at a service", every=0)
        wait.until(lambda: self.at_socket(token) == 401, WITHIN, "refused at a socket", every=0)

    @staticmethod
    def at_service(token):
        """(code, reason) of the order service itself."""
        answer = grpc.call("order", LIST_ORDERS, token=token)
        return answer.code, answer.reason

    @staticmethod
    def at_socket(token):
        """The status of the handshake."""
        try:
            Socket(token).close()
        except InvalidStatus as refused:
            return refused.response.status_code
        return 101

    def assert_accepted(self, token):
        self.assertEqual(self.at_gateway(token)[0], 200)
        self.assertEqual(self.at_service(token)[0], "OK")


class Tokens(Revoking):
    def revoke(self, subject, token_id=""):
        return self.shop.must(201, self.admin.post("/api/v1/revocations", {"subject": subject, "tokenId": token_id}))

    def test_one_token_everywhere(self):
        token_id = unique("jti")
        stolen, kept = self.shop.token(user="ann", jti=token_id), self.shop.token(user="ann")
        for token in (stolen, kept):
            self.assert_accepted(token)
        self.revoke("ann", token_id)
        self.assert_refused_soon(stolen)
        self.assert_accepted(kept)
        methods = {method.context: method.path for method in contract.methods()}
        for service, method in methods.items():
            with self.subTest(service):
                wait.until(lambda of=(service, method): grpc.many(of[0], [(of[1], {"authorization": f"Bearer {stolen}"})]) == [REVOKED],
                           what=f"refused by {service}")

    def test_all_of_a_subject_until_now(self):
        old, timeless, other = self.shop.token(user="ann"), self.shop.token(user="ann", iat=None, jti=None), self.shop.token(user="bob")
        elsewhere = stack.token(user="ann", tenant=unique("other"))
        for token in (old, timeless, other):
            self.assert_accepted(token)
        self.revoke("ann")
        for token in (old, timeless):
            self.assert_refused_soon(token)
        # Within what clocks may differ, and later than now.
        for token in (other, elsewhere, self.shop.token(user="ann", iat=int(time.time()) + 5)):
            self.assert_accepted(token)

    def test_a_service_that_starts_anew_knows_it_still(self):
        token = self.shop.token(user="ann")
        self.revoke("ann")
        self.assert_refused_soon(token)
        pid = stack.send_signal("order", signal.SIGKILL)
        stack.await_restart("order", pid)
        self.assertEqual(self.at_service(token), REVOKED)
        self.assertEqual(self.at_service(self.shop.token(user="bob"))[0], "OK")


class Staff(Revoking):
    """Sue works here, and may read orders."""

    def setUp(self):
        super().setUp()
        self.sku = self.shop.product(stock=10)["sku"]
        self.sue = unique("sue")
        invited = self.shop.must(201, self.admin.post("/api/v1/staff", {"email": "sue@example.com", "grants": self.grants("orders.read")}))
        self.staff_id = invited["staffId"]
        self.token = self.shop.token("STAFF", self.sue)
        self.shop.must(200, self.client(self.token).post("/api/v1/invitations/accept", {"code": invited["invitationCode"]}))
        wait.until(lambda: self.adjust().status == 403, WITHIN, "her account known", every=0.01)

    @staticmethod
    def grants(*permissions):
        return [{"storeCode": "*", "permissions": list(permissions)}]

    def adjust(self):
        return self.client(self.token).post(f"/api/v1/inventory/{self.sku}/adjustments",
                                            {"delta": 1, "reason": "RECEIVED", "locationCode": "MAIN"},
                                            headers={"Idempotency-Key": unique("key")})

    def test_does_what_she_was_given_and_nothing_else(self):
        self.assert_accepted(self.token)
        answer = self.adjust()
        self.assertEqual((answer.status, answer.json["code"]), (403, "PERMISSION_MISSING"), answer)
        self.assertIn("stock.write", answer.json["detail"])
        direct = grpc.call("inventory", ADJUST_STOCK, {"sku": self.sku, "delta": 1, "reason": "RECEIVED"}, token=self.token)
        self.assertEqual((direct.code, direct.reason), ("PERMISSION_DENIED", "PERMISSION_MISSING"))
        self.shop.must(200, self.admin.call("PUT", f"/api/v1/staff/{self.staff_id}/grants", {"grants": self.grants("stock.write")}))
        wait.until(lambda: self.adjust().status == 201, WITHIN, "may adjust stock", every=0.01)
        wait.until(lambda: self.at_gateway(self.token) == (403, "PERMISSION_MISSING"), WITHIN, "may no longer read orders", every=0.01)

    def test_is_out_when_she_is_deactivated(self):
        self.assert_accepted(self.token)
        self.shop.must(200, self.admin.post(f"/api/v1/staff/{self.staff_id}/deactivate", {}))
        self.assert_refused_soon(self.token)
        later = self.shop.token("STAFF", self.sue, iat=int(time.time()) + 5)
        wait.until(lambda: self.at_gateway(later) == (401, "TOKEN_REVOKED"), WITHIN, "her new token refused")
        wait.until(lambda: self.at_service(later) == REVOKED, WITHIN, "her new token refused at a service", every=0)


if __name__ == "__main__":
    unittest.main()
