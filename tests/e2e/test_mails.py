"""Who ordered gets a mail about what becomes of the order: once, also when mailer or the mail relay dies, and none after unsubscribing."""

import collections
import email
import email.policy
import pathlib
import re
import signal
import unittest

from support import crash, http, patient, stack, wait
from support.shop import Shop, order_body, unique

UNSUBSCRIBE = "https://shop.example/stop?token={token}"


def mails_to(address):
    """[message], the oldest first."""
    found = []
    for path in sorted(pathlib.Path(stack.env("BV_MAILS_DIRECTORY")).glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if message["X-Envelope-To"] == address:
            found.append(message)
    return found


def text_of(message, kind="plain"):
    return message.get_body((kind,)).get_content()


class Mails(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.admin = http.Client(self.shop.token("ADMIN"))
        self.addCleanup(self.admin.close)
        self.sku = self.shop.product(25.00, stock=1000)["sku"]
        self.address = f"{unique('ada')}@example.com"
        self.shop.must(200, self.admin.call("PUT", "/api/v1/mail/sender", {
            "email": "shop@example.com", "name": "Zelte für alle", "unsubscribeUrl": UNSUBSCRIBE}))

    def order(self, **changes):
        body = order_body([(self.sku, 2)], email=self.address, **changes)
        return self.shop.must(201, patient.post(self.shop.customer, "/api/v1/orders", body, unique("key")))["orderId"]

    def await_mails(self, count, address=None):
        wait.until(lambda: len(mails_to(address or self.address)) >= count, what=f"{count} mails")
        return mails_to(address or self.address)

    def mails_of(self, order_id):
        """[(kind, status)]"""
        rows = self.shop.must(200, self.shop.staff.get(f"/api/v1/orders/{order_id}/mails"))["mails"]
        return [(row["kind"], row["status"]) for row in rows]

    def test_what_becomes_of_an_order(self):
        order_id = self.order()
        self.shop.must(200, self.shop.customer.post(f"/api/v1/orders/{order_id}/pay", {}))
        self.shop.must(200, self.shop.staff.post(f"/api/v1/orders/{order_id}/fulfill", {"shipments": [{"carrier": "DHL", "trackingNumber": "T-1"}]}))
        placed, paid, shipped = sorted(self.await_mails(3), key=lambda message: len(message["Subject"]))
        self.assertEqual(placed["Subject"], f"Your order {order_id}")
        self.assertEqual(paid["Subject"], f"Your order {order_id} is paid")
        self.assertEqual(shipped["Subject"], f"Your order {order_id} is on its way")
        self.assertEqual(str(placed["From"]), "Zelte für alle <shop@example.com>")
        self.assertIn("Total: 50.00 USD", text_of(placed))
        self.assertIn("<b>50.00 USD</b>", text_of(paid, "html"))
        self.assertIn("Sent with DHL T-1", text_of(shipped))
        wait.until(lambda: set(self.mails_of(order_id)) == {("ORDER_PLACED", "SENT"), ("ORDER_PAID", "SENT"), ("ORDER_SHIPPED", "SENT")},
                   what="every mail is known to be sent")

    def test_no_mails_without_a_sender(self):
        self.shop.must(200, self.admin.call("DELETE", "/api/v1/mail/sender"))
        silent = self.order()
        self.shop.must(200, self.admin.call("PUT", "/api/v1/mail/sender", {"email": "shop@example.com", "name": "Shop"}))
        heard = self.order()
        (message,) = self.await_mails(1)
        self.assertIn(heard, message["Subject"])
        self.assertEqual([], self.mails_of(silent))

    def test_who_unsubscribes_gets_no_more(self):
        order_id = self.order()
        (message,) = self.await_mails(1)
        token = re.fullmatch(r"<https://shop\.example/stop\?token=(.+)>", message["List-Unsubscribe"])[1]
        self.assertIn(UNSUBSCRIBE.replace("{token}", token), text_of(message))
        self.assertEqual(422, self.shop.customer.post("/api/v1/mail/unsubscribe", {"token": token[:-1] + "x"}).status)
        self.shop.must(200, self.shop.customer.post("/api/v1/mail/unsubscribe", {"token": token}))
        self.shop.must(200, self.shop.customer.post(f"/api/v1/orders/{order_id}/pay", {}))
        wait.until(lambda: ("ORDER_PAID", "SUPPRESSED") in self.mails_of(order_id), what="the mail is not sent")
        self.assertEqual(1, len(mails_to(self.address)))

    def test_a_bounce_is_remembered(self):
        self.address = f"{unique('bounce')}@example.com"
        order_id = self.order()
        wait.until(lambda: ("ORDER_PLACED", "FAILED") in self.mails_of(order_id), what="the address is refused")
        state = self.shop.must(200, self.shop.staff.post("/api/v1/mail/addresses/check", {"email": self.address}))
        self.assertEqual((True, "BOUNCED"), (state["suppressed"], state["reason"]))

    def test_the_relay_is_away(self):
        pid = stack.send_signal("mail-sink", signal.SIGKILL)
        orders = [self.order() for _ in range(5)]
        stack.await_restart("mail-sink", pid)
        messages = self.await_mails(5)
        self.assertEqual({f"Your order {order_id}" for order_id in orders}, {message["Subject"] for message in messages})

    def test_a_crash_at_each_point(self):
        self.addCleanup(stack.await_ready)
        self.addCleanup(crash.disarm)
        for point in ("mailer.events.queued", "mailer.mail.claimed", "mailer.mail.sent"):
            with self.subTest(point):
                crash.arm(point)
                subject = f"Your order {self.order()}"
                wait.until(lambda: not crash.armed(), what=f"a crash at {point}")
                wait.until(lambda s=subject: s in {message["Subject"] for message in mails_to(self.address)}, what="the mail")

    def test_mailer_is_killed_again_and_again(self):
        orders = []
        for _ in range(3):
            orders += [self.order() for _ in range(10)]
            stack.await_restart("mailer", stack.send_signal("mailer", signal.SIGKILL))
        wanted = {f"Your order {order_id}" for order_id in orders}
        wait.until(lambda: wanted <= {message["Subject"] for message in mails_to(self.address)}, what="a mail for every order")
        # What arrived twice is the same mail, so that it can be seen to be one.
        ids = collections.defaultdict(set)
        for message in mails_to(self.address):
            ids[message["Subject"]].add(message["Message-ID"])
        self.assertEqual({1}, {len(of_subject) for of_subject in ids.values()})


if __name__ == "__main__":
    unittest.main()
