"""What devices report over MQTT becomes stock: once each, of their own tenant and SKUs, whoever is away meanwhile."""

import random
import signal
import threading
import unittest

from support import crash, devices, kafka, ledger, postgres, stack, wait
from support.shop import Shop, unique

CRASH_POINTS = ("mqtt-ingest.message.journaled", "mqtt-ingest.batch.written", "mqtt-ingest.batch.stored", "inventory.deltas.read",
                "inventory.deltas.stored")
LETTERS = "ecommerce.inventory.device.mqtt-ingest.dlq"
REFUSED = "ecommerce.inventory.device.inventory-devices.dlq"
FOLLOWS_WITHIN = 60.0  # seconds


class Devices(unittest.TestCase):
    def setUp(self):
        stack.await_ready("mosquitto", "mqtt-ingest", "inventory", "inventory-2")
        wait.until(lambda: stack.metric("mqtt-ingest", "mqtt_connected") == 1, 30, "mqtt-ingest at the broker")
        self.shop = Shop()
        self.addCleanup(self.shop.close)

    def device(self, *skus, shop=None, name=None):
        shop, name = shop or self.shop, name or unique("press")
        device = devices.Device(shop.tenant, name, devices.add(shop.tenant, name, *skus))
        self.addCleanup(device.close)
        return device

    def on_hand(self, sku, shop=None):
        answer = (shop or self.shop).anyone.get(f"/api/v1/inventory/{sku}")
        return answer.json["onHand"] if answer.status == 200 else None

    def follows(self, sku, expected, shop=None):
        last = None

        def same():
            nonlocal last
            last = self.on_hand(sku, shop)
            return last == expected
        try:
            wait.until(same, FOLLOWS_WITHIN, every=0.1)
        except AssertionError:
            self.assertEqual(expected, last)

    def letter(self, topic, since, **headers):
        """The reason of the first dead letter with these headers."""
        with kafka.Tail(topic, since) as tail:
            def found():
                return [message.header for message in tail.messages() if headers.items() <= message.header.items()]
            return wait.until(found, 30, f"a dead letter in {topic}")[0]["__connect.errors.exception.class.name"]

    def test_a_report_is_stock_and_stands_in_the_snapshot(self):
        product = self.shop.product()
        device = self.device(product["sku"])
        self.assertEqual(0, device.report(product["sku"], 12))
        self.assertEqual(0, device.report(product["sku"], -2))
        self.follows(product["sku"], 10)

        def in_snapshot():
            answer = self.shop.must(200, self.shop.staff.get(f"/api/v1/analytics/inventory?sku={product['sku']}"))
            return [level["onHand"] for level in answer["levels"]]
        wait.until(lambda: in_snapshot() == [10], FOLLOWS_WITHIN, "the snapshot", every=0.1)
        rows = postgres.rows("SELECT on_hand_delta, reason, user_id FROM inventory.inventory_adjustment "
                             f"WHERE tenant_id = '{self.shop.tenant}' ORDER BY on_hand_delta")
        self.assertEqual([(12, "SENSOR"), (-2, "SENSOR")], [(row["on_hand_delta"], row["reason"]) for row in reversed(rows)])
        ledger.check_stock(self, self.shop.tenant)

    def test_a_stated_id_counts_once(self):
        sku = self.shop.product(stock=100)["sku"]
        first, second = self.device(sku), self.device(sku)
        for _ in range(3):
            self.assertEqual(0, first.report(sku, -1, identity="count-1"))
        self.assertEqual(0, second.report(sku, -10, identity="count-1"))
        self.assertEqual(0, first.report(sku, -1, identity="count-2"))
        self.follows(sku, 88)

    def test_tenants_do_not_meet(self):
        other = Shop()
        self.addCleanup(other.close)
        sku = self.shop.product(stock=5)["sku"]
        other.product(sku=sku, stock=50)
        # One name, one SKU, one id: two tenants.
        name = unique("press")
        self.assertEqual(0, self.device(sku, name=name).report(sku, 1, identity="1"))
        self.assertEqual(0, self.device(sku, name=name, shop=other).report(sku, 1, identity="1"))
        self.follows(sku, 6)
        self.follows(sku, 51, other)

    def test_nobody_writes_what_is_not_theirs(self):
        mine, foreign = (self.shop.product(stock=5)["sku"] for _ in range(2))
        name = unique("press")
        password = devices.add(self.shop.tenant, name, mine)
        device = devices.Device(self.shop.tenant, name, password)
        self.addCleanup(device.close)
        self.assertEqual(devices.NOT_AUTHORIZED, device.report(foreign, 100))
        self.assertEqual(devices.NOT_AUTHORIZED, device.report(mine, 100, account="acme/press"))
        self.assertEqual(0, device.report(mine, 1))
        stranger = devices.Device(self.shop.tenant, name, "guess")
        self.addCleanup(stranger.close)
        self.assertEqual(devices.NOT_AUTHORIZED, stranger.connect_answer)
        # A further SKU, at once and under a new password.
        devices.add(self.shop.tenant, name, foreign)
        wait.until(lambda: device.connect_answer == devices.NOT_AUTHORIZED, 20, "the old password to be worth nothing")
        self.follows(mine, 6)
        self.follows(foreign, 5)

    def test_what_is_no_report_is_put_aside_with_the_reason(self):
        sku = self.shop.product(stock=5)["sku"]
        since = kafka.now()
        name = unique("press")
        device = self.device(sku, name=name)
        self.assertEqual(0, device.answer(device.hand_raw(devices.topic(sku), "12 pieces")))
        self.assertEqual(0, device.report(sku, -6, identity="too-many"))
        self.assertEqual(0, device.report(sku, -1))
        self.assertEqual("MALFORMED_JSON", self.letter(LETTERS, since, account=f"{self.shop.tenant}/{name}"))
        self.assertEqual("STOCK_NEGATIVE", self.letter(REFUSED, since, tenantId=self.shop.tenant))
        self.follows(sku, 4)

    def test_whoever_dies_meanwhile_each_report_counts_once(self):
        """The broker restarts in mid-stream; ingest and inventory are killed where it hurts, and ingest anywhere."""
        self.addCleanup(stack.await_ready)
        skus = [self.shop.product()["sku"] for _ in range(4)]
        expected, handed, stop = dict.fromkeys(skus, 0), [], threading.Event()

        def stream(device, seed):
            chance = random.Random(seed)
            number = 0
            while not stop.is_set():
                sku, delta = chance.choice(skus), chance.randint(1, 5)
                number += 1
                # A stated id: paho, too, repeats what was not acknowledged when the broker went.
                handed.append((device, device.hand(sku, delta, identity=f"{seed}-{number}"), sku, delta))
                stop.wait(0.002)
        streams = [threading.Thread(target=stream, args=(self.device(*skus), seed)) for seed in range(2)]
        for each in streams:
            each.start()
        try:
            for point in CRASH_POINTS:
                crash.arm(point)
                wait.until(lambda: not crash.armed(), 30, f"a crash at {point}", every=0.02)
            for name in ("mosquitto", "mqtt-ingest", "mosquitto"):
                pid = stack.send_signal(name, signal.SIGTERM if name == "mosquitto" else signal.SIGKILL)
                stack.await_restart(name, pid)
        finally:
            stop.set()
            for each in streams:
                each.join()
        for device, message, sku, delta in handed:
            self.assertIn(device.answer(message), (0, 16), "the broker has not taken it")
            expected[sku] += delta
        self.assertGreater(len(handed), 500)
        for sku in skus:
            self.follows(sku, expected[sku])
        ledger.check_stock(self, self.shop.tenant)
        print(f"{len(handed)} reports")


if __name__ == "__main__":
    unittest.main()
