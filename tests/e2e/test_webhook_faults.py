"""Webhooks while the dispatcher, RabbitMQ and Kafka are killed under load, and beside receivers that are dead."""

import itertools
import signal
import statistics
import time
import unittest

from support import receiver, stack, wait
from support.load import Customers
from support.receiver import answer
from support.shop import Shop
from support.webhooks import BASE, CREATED, DELAYS, Webhooks, moment, pauses

KILLED = ("webhook-dispatcher", "rabbitmq", "webhook-dispatcher-2", "kafka", "webhook-dispatcher")
CUSTOMERS = 2
ORDERS_BETWEEN = 30
# Every so many requests one is refused, so that the tiers are in use when their broker dies.
# Of ten thousand deliveries none is then refused six times, by which it would be given up.
REFUSED_EVERY = 20
TOLERANCE = 1.0  # seconds
# How long after the return of a server what waited for it is made up.
CATCH_UP = 5.0
BACKLOG = 256
PROBES = 40


class Faults(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        self.receiver = receiver.Receiver()
        self.addCleanup(self.receiver.close)
        self.shop, self.webhooks = self.tenant()

    def tenant(self):
        shop = Shop()
        self.addCleanup(shop.close)
        webhooks = Webhooks(shop)
        self.addCleanup(webhooks.close)
        return shop, webhooks

    def test_everything_arrives_though_everything_is_killed(self):
        turns = itertools.count(1)

        async def refuse_some(writer):
            return await answer(503 if next(turns) % REFUSED_EVERY == 0 else 200)(writer)

        hook = self.receiver.hook(refuse_some)
        subscription = self.webhooks.subscribe(hook, CREATED)
        sku = self.shop.product(25.00, stock=1_000_000)["sku"]
        outages = []
        with Customers(self.shop, [sku], CUSTOMERS) as customers:
            for name in KILLED:
                customers.await_placed(ORDERS_BETWEEN)
                begin = time.time()
                pid = stack.send_signal(name, signal.SIGKILL)
                stack.await_restart(name, pid, within=90)
                outages.append((begin, time.time() + CATCH_UP))
            wait.until(lambda: time.time() > outages[-1][1], 2 * CATCH_UP, "the end of the last outage")
            customers.await_placed(ORDERS_BETWEEN)
        placed = set(customers.placed().values())
        delivered = lambda: {request.event["partitionKey"] for request in list(hook.requests)}  # noqa: E731
        wait.until(lambda: placed <= delivered(), 60, "an event of every order at the receiver")
        wait.until(lambda: not self.webhooks.deliveries(status="PENDING"), 60, "the end of every delivery", every=0.5)
        self.assertEqual([], self.webhooks.deliveries(status="FAILED"), "given up early")
        found = self.webhooks.deliveries(subscriptionId=subscription["subscriptionId"])
        self.assertEqual(len(placed), len(found))
        self.check_schedule([each for each in found if each["attemptsMade"] > 1], outages)

    def check_schedule(self, repeated, outages):
        """Never early; and in time, but for what a server that was away kept waiting."""
        self.assertGreater(len(repeated), 10)
        in_time = 0
        for each in repeated:
            delivery = self.webhooks.delivery(each["deliveryId"])
            attempts = [moment(attempt["at"]) for attempt in delivery["attempts"]]
            for due, pause, begin, end in zip(DELAYS, pauses(delivery), attempts, attempts[1:]):
                self.assertGreaterEqual(pause, due - 0.05, delivery)
                if not any(begin < back and gone < end for gone, back in outages):
                    self.assertLessEqual(pause, due + TOLERANCE, delivery)
                    in_time += 1
        self.assertGreater(in_time, 0)
        print(f"{len(repeated)} deliveries took more than one attempt; {in_time} pauses with all servers there")

    def arrival_times(self, webhooks, subscription, hook):
        """Seconds from the answer to a test event's request to its arrival, one after the other."""
        found = []
        for _ in range(PROBES):
            before = len(hook.requests)
            delivery = webhooks.test(subscription)
            asked = time.monotonic()
            (request,) = hook.await_requests(1, select=lambda each: each.id == delivery["deliveryId"])
            self.assertEqual(before + 1, len(hook.requests))
            found.append(max(0.0, request.at - asked))
        return found

    def test_a_dead_receiver_costs_others_nothing(self):
        hook = self.receiver.hook()
        subscription = self.webhooks.subscribe(hook)
        alone = self.arrival_times(self.webhooks, subscription, hook)
        _, neighbour = self.tenant()
        dead = self.receiver.hook(receiver.hang)
        dead_subscription = neighbour.subscribe(dead)
        neighbour.test(dead_subscription)
        made = 1
        while made < BACKLOG:
            made += neighbour.must(200, neighbour.client.post(f"{BASE}/deliveries:redeliver", {
                "subscriptionId": dead_subscription["subscriptionId"]}))["count"]
        wait.until(lambda: dead.requests, 20, "the first attempts at the dead receiver")
        beside = self.arrival_times(self.webhooks, subscription, hook)
        figures = [statistics.median(times) * 1000 for times in (alone, beside)]
        print(f"a test event arrives after {figures[0]:.0f} ms; beside {made} deliveries to a dead receiver after {figures[1]:.0f} ms")
        self.assertLess(figures[1], 1.5 * figures[0] + 50)
        self.assertTrue(neighbour.deliveries(status="PENDING"))


if __name__ == "__main__":
    unittest.main()
