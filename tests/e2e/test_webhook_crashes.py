"""Power cuts of the webhook dispatcher at each of its durable steps: what was asked for under a key is made once, and arrives."""

import re
import unittest

from support import crash, patient, receiver, stack, wait
from support.receiver import answer
from support.shop import Shop, unique
from support.webhooks import BASE, CREATED, Webhooks

POINT = re.compile(r'\bCrashPoint\(\s*"([^"]+)"\s*\)')
ARRIVES_WITHIN = 60  # seconds


def crash_points():
    return sorted({point for path in (stack.ROOT / "services" / "webhook-dispatcher").rglob("*.cc")
                   for point in POINT.findall(path.read_text(encoding="utf-8"))})


class CrashPoints(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        self.addCleanup(crash.disarm)
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.sku = self.shop.product(25.00, stock=10_000)["sku"]
        self.webhooks = Webhooks(self.shop)
        self.addCleanup(self.webhooks.close)
        self.receiver = receiver.Receiver()
        self.addCleanup(self.receiver.close)

    def ask(self, status, path, body=None):
        return self.shop.must(status, patient.post(self.webhooks.client, f"{BASE}/{path}", body))

    def hook(self):
        """Refuses every second request, so that most deliveries take two attempts."""
        turns = iter(range(1_000_000))

        async def refuse_some(writer):
            return await answer(503 if next(turns) % 2 == 0 else 200)(writer)
        return self.receiver.hook(refuse_some)

    def subscribed(self, hook):
        made = self.ask(201, "subscriptions", {"url": hook.url, "eventTypes": [CREATED]})
        there = self.shop.must(200, self.webhooks.client.get(f"{BASE}/subscriptions?pageSize=100"))["subscriptions"]
        self.assertEqual([made["subscriptionId"]], [each["subscriptionId"] for each in there if each["url"] == hook.url], "made once")
        return made

    def await_all(self, subscription, count):
        """The deliveries, once so many are there and all have arrived."""
        def arrived():
            found = self.webhooks.deliveries(subscriptionId=subscription["subscriptionId"])
            return found if len(found) >= count and all(each["status"] == "DELIVERED" for each in found) else None
        found = wait.until(arrived, ARRIVES_WITHIN, f"{count} deliveries", every=0.2)
        self.assertEqual(count, len(found), found)
        return found

    def life(self):
        """Everything that leads to a durable step."""
        hook = self.hook()
        subscription = self.subscribed(hook)
        self.shop.must(201, self.shop.order([(self.sku, 1)], unique("key")))
        self.ask(201, f"subscriptions/{subscription['subscriptionId']}/test")
        self.await_all(subscription, 2)
        (order,) = self.webhooks.deliveries(subscriptionId=subscription["subscriptionId"], eventType=CREATED)
        self.ask(201, f"deliveries/{order['deliveryId']}/redeliver")
        both = self.ask(200, "deliveries:redeliver", {"subscriptionId": subscription["subscriptionId"], "eventType": CREATED})
        self.assertEqual(2, both["count"])
        found = self.await_all(subscription, 5)
        self.assertEqual({each["deliveryId"] for each in found}, {request.id for request in hook.requests})

    def test_each_in_turn(self):
        points = crash_points()
        self.assertGreater(len(points), 10)
        for point in points:
            with self.subTest(point):
                crash.arm(point)
                self.life()
                self.assertFalse(crash.armed(), "nothing of this leads there")


if __name__ == "__main__":
    unittest.main()
