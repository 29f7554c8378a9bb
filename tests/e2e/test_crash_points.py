"""Power cuts at every durable step: each service is ended at each of its crash points, one after the other, while an order goes its
way, and then at random ones under load. Afterwards everything adds up, and the client was told the truth."""

import os
import random
import re
import threading
import unittest

from support import crash, gateways, ledger, stack, wait
from support.lives import Lives
from support.shop import Shop

POINT = re.compile(r'\bCrashPoint\(\s*"([^"]+)"\s*\)')
# What a cart holds is no order yet, and neither is a price or a replay; test_cart_holds and test_replay lead there, and product's own tests do.
# Devices know of no order (test_devices), and what is told of one comes behind it: test_webhook_crashes and test_mails.
NOT_OF_ORDERS = ("audit-trail.", "cart.", "identity.", "inventory.deltas.", "inventory.holds.", "mailer.", "mqtt-ingest.", "product.", "replay.", "webhook-dispatcher.")
# Where a payment has failed of which no customer hears, or stock has gone that was committed: a crash alone does not lead there. Order's
# own tests do.
BEHIND_OTHER_FAULTS = {"order.confirm.uncommitted_stock", "order.pay.refunded"}
RANDOM_CRASHES = int(os.environ.get("BIVOUAC_CRASHES", "100"))
SEED = int(os.environ.get("BIVOUAC_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
CUSTOMERS = 6
SETTLED_WITHIN = 60  # seconds
# How long a random point may stay armed without being reached; the rare ones are passed over.
REACHED_WITHIN = 2.0


def crash_points():
    """The names in the code of the services, by service."""
    found = {point for path in (stack.ROOT / "services").rglob("*.cc") for point in POINT.findall(path.read_text(encoding="utf-8"))}
    return sorted(point for point in found - BEHIND_OTHER_FAULTS if not point.startswith(NOT_OF_ORDERS))


class CrashPoints(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        self.addCleanup(crash.disarm)
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.skus = Lives.prepare(self.shop)
        self.addCleanup(gateways.behave)

    def lives(self, user):
        lives = Lives(self.shop, self.skus, user)
        self.addCleanup(lives.close)
        return lives

    def test_each_in_turn(self):
        points = crash_points()
        self.assertGreater(len(points), 10)
        ada, kinds = self.lives("ada"), list(Lives.ALL)
        for point in points:
            with self.subTest(point):
                crash.arm(point)
                try:
                    for kind in kinds:
                        kind(ada)
                        if kind is Lives.never_paid:
                            ledger.await_rest(self, self.shop.tenant, SETTLED_WITHIN)
                        if not crash.armed():
                            # The next point is near: the same life may lead to it.
                            kinds.sort(key=lambda other, met=kind: other is not met)
                            break
                    self.assertFalse(crash.armed(), "no life of an order leads there")
                finally:
                    crash.disarm()
                ledger.await_rest(self, self.shop.tenant, SETTLED_WITHIN)
        ledger.check_stock(self, self.shop.tenant)
        ledger.check_orders(self, self.shop.tenant)

    def test_random_ones_under_load(self):
        print(f"BIVOUAC_SEED={SEED} BIVOUAC_CRASHES={RANDOM_CRASHES}", flush=True)
        chance, points = random.Random(SEED), crash_points()
        crashes = 0
        with Crowd(self.shop, self.skus) as crowd:
            while crashes < RANDOM_CRASHES and not crowd.complaints:
                crash.arm(chance.choice(points))
                if self.reached():
                    crashes += 1
                    crowd.await_led(2)
        self.assertEqual([], crowd.complaints)
        ledger.await_rest(self, self.shop.tenant, SETTLED_WITHIN)
        ledger.check_stock(self, self.shop.tenant)
        ledger.check_orders(self, self.shop.tenant)
        print(f"{crashes} crashes during {crowd.led} lives of orders")

    @staticmethod
    def reached():
        """Whether somebody died of what is armed."""
        try:
            wait.until(lambda: not crash.armed(), REACHED_WITHIN, "the crash", every=0.01)
            return True
        except AssertionError:
            crash.disarm()
            return False


class Crowd:
    """Customers whose orders live one random life after the other."""

    def __init__(self, shop, skus):
        self._shop = shop
        self._skus = skus
        self._stop = threading.Event()
        self.complaints = []
        self.led = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(CUSTOMERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def await_led(self, more):
        """Waits for the end of further lives: the fleet has recovered."""
        goal = self.led + more
        wait.until(lambda: self.led >= goal or self.complaints, SETTLED_WITHIN, f"{more} lives led to their end", every=0.02)

    def _run(self, number):
        lives, chance = Lives(self._shop, self._skus, f"customer-{number}"), random.Random(SEED + number)
        while not self._stop.is_set():
            try:
                chance.choice(Lives.ALL)(lives)
                with self._lock:
                    self.led += 1
            except Exception as error:  # whatever it is, the test must not pass over it
                with self._lock:
                    self.complaints.append(repr(error))
        lives.close()


if __name__ == "__main__":
    unittest.main()
