"""kill -9 under load. Whatever dies when: an order that was answered is stored and announced, none is announced that was not stored,
events of a key keep their order, and stock adds up."""

import collections
import signal
import unittest

from support import kafka, ledger, postgres, stack
from support.load import Customers
from support.shop import Shop

ROUNDS = 2
VICTIMS = ("outbox-relay", "order", "inventory")


class Restart(unittest.TestCase):
    def test_kill_under_load(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        shop = Shop()
        self.addCleanup(shop.close)
        tails = ledger.tails(kafka.now())
        for tail in tails.values():
            self.addCleanup(tail.close)
        # Few products, so that their keys see many events.
        skus = [shop.product(1.00, stock=1_000_000)["sku"] for _ in range(3)]
        relay_killed_at = []
        with Customers(shop, skus, count=8) as customers:
            customers.await_placed(100)
            for victim in VICTIMS * ROUNDS:
                before = len(customers.attempts())
                pid = stack.send_signal(victim, signal.SIGKILL)
                if victim == "outbox-relay":
                    relay_killed_at.append(kafka.now())
                stack.await_restart(victim, pid)
                customers.await_placed(100)
                self.assertGreater(len(customers.attempts()), before)

        attempts, placed = customers.attempts(), customers.placed()
        self.assertEqual(set(), {attempt.status for attempt in attempts} - {201, 503, 504, None}, "an answer that no fault explains")
        self.assertEqual(set(), {attempt.key for attempt in attempts} - placed.keys(), "keys that never got their order")
        by_key = collections.defaultdict(set)
        for attempt in attempts:
            if attempt.status == 201:
                by_key[attempt.key].add(attempt.text)
        self.assertEqual([], [orders for orders in by_key.values() if len(orders) > 1], "two orders under one key")
        self.check_stored(shop.tenant, placed)
        ledger.check_orders(self, shop.tenant)
        ledger.check_stock(self, shop.tenant)
        copies = ledger.check_events(self, shop.tenant, tails)
        early = [message for message in copies if message.timestamp < relay_killed_at[0]]
        self.assertEqual([], early, "events twice before anything had died")
        print(f"{len(placed)} orders, {len(attempts)} requests, {len(copies)} events twice")

    def check_stored(self, tenant, placed):
        stored = {row["order_id"] for row in postgres.rows(f"SELECT order_id FROM orders.orders WHERE tenant_id = '{tenant}'")}
        self.assertEqual(set(), set(placed.values()) - stored, "answered 201, and not stored")
        self.assertEqual(set(), stored - set(placed.values()), "stored, and never answered though its key was repeated")


if __name__ == "__main__":
    unittest.main()
