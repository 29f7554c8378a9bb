"""SIGTERM under load, as a rolling update sends it: whoever goes ends its work first, and nobody's order fails."""

import signal
import unittest

from support import kafka, ledger, postgres, stack
from support.load import Customers
from support.shop import Shop


class Drain(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.skus = [self.shop.product(1.00, stock=100_000)["sku"] for _ in range(4)]

    def drain_under_load(self, service):
        """Two drains of a service; returns what the customers saw."""
        with Customers(self.shop, self.skus) as customers:
            customers.await_placed(50)
            for _ in range(2):
                pid = stack.send_signal(service, signal.SIGTERM)
                stack.await_restart(service, pid)
                self.assertEqual(stack.processes()[service]["last_exit"], "exit code 0")
                customers.await_placed(50)
        return customers

    def check(self, customers):
        keys = {attempt.key for attempt in customers.attempts()}
        self.assertEqual(set(), keys - customers.placed().keys(), "orders that were never placed")
        self.assertEqual(len(set(customers.placed().values())), len(keys), "an order for each key")
        ledger.check_orders(self, self.shop.tenant)
        ledger.check_stock(self, self.shop.tenant)

    def check_refusals(self, customers):
        """While the only replica starts again there is nobody to ask: 503 that says when to come back. What had begun was finished, so
        behind a 503 no order was stored."""
        failed = [attempt for attempt in customers.attempts() if attempt.status != 201]
        self.assertEqual([], [attempt for attempt in failed if attempt.status != 503 or not attempt.retry_after])
        self.check(customers)
        stored_at = {row["order_id"]: row["at"] for row in postgres.rows(
            f"SELECT order_id, extract(epoch FROM created_at) AS at FROM orders.orders WHERE tenant_id = '{self.shop.tenant}'")}
        placed = customers.placed()
        self.assertEqual([], [attempt for attempt in failed if stored_at[placed[attempt.key]] < attempt.at])

    def test_gateway(self):
        customers = self.drain_under_load("gateway")
        # A new connection is refused while none listens; a request that was sent is answered.
        failed = [attempt for attempt in customers.attempts() if attempt.status != 201 and attempt.text != "refused"]
        self.assertEqual([], failed)
        self.check(customers)

    def test_order(self):
        customers = self.drain_under_load("order")
        self.check_refusals(customers)

    def test_inventory(self):
        customers = self.drain_under_load("inventory")
        self.check_refusals(customers)

    def test_relay(self):
        since = kafka.now()
        tails = ledger.tails(since)
        for tail in tails.values():
            self.addCleanup(tail.close)
        customers = self.drain_under_load("outbox-relay")
        self.assertEqual([], [attempt for attempt in customers.attempts() if attempt.status != 201])
        self.check(customers)
        self.assertEqual([], ledger.check_events(self, self.shop.tenant, tails), "a drained relay publishes nothing twice")


if __name__ == "__main__":
    unittest.main()
