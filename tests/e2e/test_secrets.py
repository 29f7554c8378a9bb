"""Secrets and personal data are planted wherever they can come in, in calls that succeed and in calls that fail in all ways; then no log of any process holds them."""

import json
import pathlib
import re
import unittest

from support import grpc, http, stack, wait
from support.owner import Owner
from support.shop import ADDRESS, order_body, unique
from support.sockets import GONE, Socket

TOKEN = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}")
ORDERS = "/api/v1/orders"


def logs():
    """{name: text} of every process of the stack, of servers, too."""
    folder = pathlib.Path(stack.env("BV_JWKS_FILE")).parent / "logs"
    return {path.name: path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.rglob("*")) if path.is_file()}


def of_the_stack():
    """{what: secret}: passwords, and the key that signs tokens."""
    folder = pathlib.Path(stack.env("BV_JWKS_FILE")).parent
    (key,) = json.loads(pathlib.Path(stack.env("BV_JWKS_FILE")).read_text(encoding="utf-8"))["keys"]
    return {"signing key": key["k"], **{path.name: path.read_text(encoding="ascii").strip() for path in (folder / "secrets").glob("*.password")}}


class Secrets(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.owner = Owner()
        self.shop = self.owner.shop
        self.addCleanup(self.shop.close)
        # Person by person, so that a finding says where it came from.
        self.person = {part: unique(f"planted-{part}") for part in ("name", "line1", "city", "email", "session", "password", "query", "body", "code", "bearer")}
        self.address = {**ADDRESS, "name": self.person["name"], "line1": self.person["line1"], "city": self.person["city"], "phone": "+491701234567"}
        self.email = f"{self.person['email']}@example.com"

    def order(self, client=None, **changes):
        return (client or self.shop.customer).post(ORDERS, {**order_body([(self.owner.sku, 1)]), "shippingAddress": self.address, "email": self.email, **changes})

    def done_well(self):
        made = self.shop.must(201, self.order())
        self.shop.must(200, self.shop.customer.post(f"{ORDERS}/{made['orderId']}/pay", {}))
        self.shop.must(201, self.shop.customer.post("/api/v1/carts", {"sessionId": self.person["session"]}))
        self.shop.must(200, self.shop.staff.post("/api/v1/mail/addresses/suppress", {"email": f"{self.person['name']}@example.com", "reason": "BOUNCED"}))
        return made["orderId"]

    def done_badly(self):
        person, anyone = self.person, http.Client(tenant=self.shop.tenant)
        self.addCleanup(anyone.close)
        for answer in (
                self.order(email=f"{person['email']}@@"), self.order(email=self.email + "x" * 300), self.order(paymentMethod=person["body"]),
                self.order(shippingAddress={**self.address, "countryCode": person["city"]}), self.order(shippingAddress={**self.address, "name": ""}),
                self.order(items=[{"sku": person["body"], "qty": 1}]), self.order(client=anyone), self.order(items=[{"sku": self.owner.sku, "qty": 10_000}]),
                self.shop.customer.call("POST", ORDERS, raw=f'{{"email": "{self.email}", "x": {person["body"]}'.encode()),
                self.shop.customer.get(f"{ORDERS}?userId={person['query']}&pageToken={person['query']}"),
                anyone.get(f"{ORDERS}?access_token={self.shop.customer.token}"),
                anyone.get(ORDERS, headers={"Authorization": f"Bearer {person['bearer']}"}),
                anyone.get(ORDERS, headers={"Authorization": f"Bearer {self.shop.customer.token}x"}),
                anyone.get(ORDERS, headers={"Authorization": f"Bearer {self.shop.token(lifetime=-3600)}"}),
                self.shop.customer.get(f"/api/v1/carts/{self.owner.session_cart['cartId']}?sessionId={person['session']}"),
                self.shop.staff.post("/api/v1/invitations/accept", {"code": person["code"]}),
                self.shop.staff.post("/api/v1/mail/unsubscribe", {"token": person["code"]}),
                self.shop.staff.post("/api/v1/webhooks/subscriptions", {"url": f"https://user:{person['password']}@example.com/", "eventTypes": ["*"]}),
                self.shop.staff.post("/api/v1/webhooks/subscriptions", {"url": f"http://192.168.1.1/?{person['query']}", "eventTypes": ["*"]})):
            self.assertIn(answer.status, range(400, 500), answer)
        grpc.raw("order", "commerce.order.v1.Orders/CreateOrder", self.email.encode(), self.shop.customer.token)
        grpc.call("order", "commerce.order.v1.Orders/GetOrder", {"orderId": person["query"]}, person["bearer"])
        for form in ("header", "query", "subprotocol"):
            with self.assertRaises(GONE):
                Socket(f"{self.shop.customer.token}x", form=form)

    def test_no_log_holds_them(self):
        order_id = self.done_well()
        self.done_badly()
        for form in ("header", "query", "subprotocol"):
            Socket(self.shop.customer.token, form=form).close()
        # The last of what is done with the order: its customer is told.
        wait.until(lambda: [mail["status"] for mail in self.shop.must(200, self.shop.staff.get(f"{ORDERS}/{order_id}/mails"))["mails"]] == ["SENT"] * 2,
                   what="its mails sent")
        secrets = {**of_the_stack(), **self.person, "e-mail": self.email, "phone": self.address["phone"], "webhook's secret": self.owner.hook["secret"],
                   "invitation": self.owner.invited["invitationCode"], "session": self.owner.session,
                   "signature": self.shop.customer.token.rpartition(".")[2], "of mark": f"{self.owner.mark}@example.com"}
        for name, text in logs().items():
            with self.subTest(name):
                self.assertEqual([], sorted(what for what, secret in secrets.items() if secret in text))
                self.assertIsNone(TOKEN.search(text), "a token")


if __name__ == "__main__":
    unittest.main()
