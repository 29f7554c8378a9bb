"""Flash sales as shops' pages see them: an event stream (SSE) through the gateway, on two replicas of notification."""

import datetime
import json
import signal
import unittest

from support import patient, postgres, stack, wait
from support.shop import Shop
from support.sockets import SaleWatcher, Stream

REPLICAS = ("notification", "notification-2")
STARTED, ENDED = (f"ecommerce.pricing.flash_sale.{name}.v1" for name in ("started", "ended"))


def announced(tenant):
    """The ids of the tenant's events, in the order of their commits."""
    return [row["id"] for row in postgres.rows(f"SELECT payload::json->>'eventId' AS id FROM outbox.event WHERE tenant_id = '{tenant}' AND "
                                               f"type IN ('{STARTED}', '{ENDED}') ORDER BY seq")]


class FlashSaleStream(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.product = self.shop.product(25.00)
        self.path = f"/sse/flash-sales?tenant={self.shop.tenant}"

    def sell(self, seconds=3600, product=None):
        """A sale that begins at once."""
        product = product or self.product
        begin = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=200)
        return self.shop.must(201, patient.post(self.shop.staff, "/api/v1/flash-sales", {
            "productId": product["productId"], "name": "Spring", "startsAt": begin.isoformat(),
            "endsAt": (begin + datetime.timedelta(seconds=seconds)).isoformat(),
            "offers": [{"sku": product["sku"], "price": 15.00, "currency": "USD"}]}))

    def open(self, headers=None, path=None):
        stream = Stream(path or self.path, headers)
        self.addCleanup(stream.cut)
        return stream

    def test_a_sale_begins_and_ends(self):
        stream = self.open()
        self.assertEqual((stream.answer.status, stream.answer.headers["Content-Type"], stream.answer.headers["Cache-Control"]),
                         (200, "text/event-stream", "no-store"))
        snapshot = stream.next()
        self.assertEqual((snapshot.name, json.loads(snapshot.data)), ("snapshot", {"sales": []}))
        self.assertIsNotNone(stream.retry_millis)
        sale = self.sell(seconds=1)
        seen = [stream.next(), stream.next()]
        self.assertEqual([sent.name for sent in seen], ["started", "ended"])
        events = [json.loads(sent.data) for sent in seen]
        self.assertEqual([event["eventType"] for event in events], [STARTED, ENDED])
        self.assertEqual({event["payload"]["saleId"] for event in events}, {sale["saleId"]})
        self.assertEqual([event["eventId"] for event in events], announced(self.shop.tenant))

    def test_who_comes_later_sees_what_runs(self):
        first = self.open()
        first.next()
        sale = self.sell()
        first.next()
        # One on each replica.
        for stream in (self.open(), self.open()):
            snapshot = stream.next()
            self.assertEqual([event["payload"]["saleId"] for event in json.loads(snapshot.data)["sales"]], [sale["saleId"]])

    def test_goes_on_where_it_was(self):
        stream = self.open()
        last = stream.next().id
        self.sell(seconds=1)
        last = stream.next().id
        stream.cut()
        wait.until(lambda: len(announced(self.shop.tenant)) == 2, 20, "the end of the sale")
        # On each replica.
        for again in (self.open({"Last-Event-ID": last}), self.open({"Last-Event-ID": last})):
            sent = again.next()
            self.assertEqual((sent.name, json.loads(sent.data)["eventId"]), ("ended", announced(self.shop.tenant)[1]))
        # What is no place of ours is no place.
        self.assertEqual(self.open({"Last-Event-ID": "nonsense"}).next().name, "snapshot")

    def test_shops_are_apart(self):
        other = Shop()
        self.addCleanup(other.close)
        strange = self.open(path=f"/sse/flash-sales?tenant={other.tenant}")
        strange.next()
        own = self.open()
        own.next()
        self.sell(seconds=1)
        own.next()
        own.next()
        product = other.product(25.00)
        self.shop, shop = other, self.shop
        try:
            sale = self.sell(product=product)
        finally:
            self.shop = shop
        self.assertEqual(json.loads(strange.next().data)["payload"]["saleId"], sale["saleId"], "its own, and none before it")

    def test_a_shop_has_to_be_named(self):
        for path in ("/sse/flash-sales", "/sse/flash-sales?tenant=%20", "/sse/flash-sales?tenant=%zz"):
            stream = self.open(path=path)
            self.assertIn(stream.answer.status, (400, 422), path)
            self.assertEqual(stream.answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(self.open(path="/sse/nothing").answer.status, 404)

    def test_heartbeats(self):
        """A stream that says nothing is seen to live: comments come while no event does."""
        stream = self.open()
        stream.next()
        while stream.comments < 2:
            line = stream.answer.readline().decode()
            self.assertIn(line, (":\n", "\n"))
            stream.comments += line == ":\n"

    def test_whatever_ends_meanwhile(self):
        watchers = [SaleWatcher(self.shop.tenant).start() for _ in range(6)]
        for watcher in watchers:
            self.addCleanup(watcher.stop)
        wait.until(lambda: all(watcher.events and watcher.events[0] for watcher in watchers), 30, "everybody to be there")
        number = signal.SIGTERM
        victims = (*REPLICAS, "gateway", "kafka", "notification")
        products = [self.shop.product(25.00) for _ in victims]
        for victim, product in zip(victims, products):
            self.sell(seconds=1, product=product)
            pid = stack.send_signal(victim, number)
            stack.await_restart(victim, pid)
            number = signal.SIGKILL
        wait.until(lambda: len(announced(self.shop.tenant)) == 10, 30, "the end of the last sale")
        wanted = announced(self.shop.tenant)
        for watcher in watchers:
            wait.until(lambda w=watcher: set(w.ids()) == set(wanted), 30, "everything", every=0.2)
            for events in watcher.events:
                ids = [sent.id for sent in events]
                self.assertEqual(len(ids), len(set(ids)), "twice over one connection")
            # Those of one product are in order; those of several may be on several partitions.
            names = [(json.loads(sent.data)["payload"]["saleId"], sent.name) for events in watcher.events for sent in events
                     if sent.name != "snapshot"]
            for sale in {sale for sale, _ in names}:
                self.assertEqual(["started", "ended"], list(dict.fromkeys(name for each, name in names if each == sale)))
        print(f"{len(wanted)} events, {sum(watcher.connections for watcher in watchers)} streams of {len(watchers)} clients")


if __name__ == "__main__":
    unittest.main()
