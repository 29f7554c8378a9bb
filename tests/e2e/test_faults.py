"""A server goes away and comes back. Without Redis or Kafka orders go on and the log waits; without PostgreSQL the answer is 503 with a
time to come back, and everything recovers by itself."""

import os
import signal
import time
import unittest

from support import kafka, ledger, stack, wait
from support.shop import Shop, unique

AWAY_SECONDS = 3.0


def keep_away(name):
    """Kills a process whenever the supervisor has started it again. The supervisor's pause doubles with each death; returns in a pause
    of at least 3.2 s, more than a second before its end."""
    deadline, died = time.monotonic() + 60, time.monotonic()
    while time.monotonic() < deadline:
        pid = stack.processes()[name]["pid"]
        if pid is not None:
            kill(pid)
            died = time.monotonic()
        elif time.monotonic() - died > 1.8:
            return
    raise AssertionError(f"{name} could not be kept away")


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Faults(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.sku = self.shop.product(1.00, stock=10_000)["sku"]
        self.tails = ledger.tails(kafka.now())
        for tail in self.tails.values():
            self.addCleanup(tail.close)

    def place(self, count):
        return [self.shop.must(201, self.shop.order([(self.sku, 1)], unique("key")))["orderId"] for _ in range(count)]

    def check_all(self):
        ledger.check_orders(self, self.shop.tenant)
        ledger.check_stock(self, self.shop.tenant)
        return ledger.check_events(self, self.shop.tenant, self.tails)

    def test_redis_killed(self):
        pid = stack.send_signal("redis", signal.SIGKILL)
        self.place(20)
        stack.await_restart("redis", pid)
        self.place(5)
        self.assertEqual([], self.check_all())

    def test_redis_hangs(self):
        pid = stack.send_signal("redis", signal.SIGSTOP)
        try:
            self.place(20)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.check_all()

    def test_kafka_hangs(self):
        self.place(1)
        pid = stack.send_signal("kafka", signal.SIGSTOP)
        try:
            orders = self.place(50)
            wait.until_time(time.monotonic() + AWAY_SECONDS)
            orders += self.place(50)
            self.assertEqual([], [order for order in orders if self.tails[kafka.ORDERS].messages(order)])
        finally:
            os.kill(pid, signal.SIGCONT)
        self.check_all()

    def test_kafka_killed(self):
        pid = stack.send_signal("kafka", signal.SIGKILL)
        self.place(100)
        stack.await_restart("kafka", pid, within=90)
        self.place(5)
        self.check_all()

    def test_postgres_away(self):
        pids = stack.pids()
        self.place(1)
        keep_away("postgres")
        started = time.monotonic()
        answer = self.shop.order([(self.sku, 1)], unique("key"))
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (503, "application/problem+json"), answer)
        self.assertRegex(answer.headers["Retry-After"], r"^[1-9]\d*$")
        self.assertLess(time.monotonic() - started, 5, "a client waits long for bad news")
        for path in (f"/api/v1/inventory/{self.sku}", "/api/v1/orders", "/api/v1/products"):
            read = self.shop.customer.get(path)
            self.assertIn(read.status, (503, 200), read)  # 200: it came back in the meantime
            self.assertEqual(read.status == 503, read.headers["Retry-After"] is not None)
        stack.await_ready(within=90)
        wait.until(lambda: self.shop.order([(self.sku, 1)], unique("key")).status == 201, 30, "an order after the recovery", every=0.2)
        self.place(10)
        self.check_all()
        now = stack.pids()
        self.assertEqual({name: pids[name] for name in stack.SERVICES}, {name: now[name] for name in stack.SERVICES},
                         "a service died of it")


if __name__ == "__main__":
    unittest.main()
