"""Orders as customers see them change: WebSockets through the gateway, on two replicas of notification, by a stock client."""

import contextlib
import json
import os
import signal
import threading
import time
import unittest

from websockets.exceptions import ConnectionClosed, InvalidStatus

from support import gateways, http, patient, postgres, stack, wait
from support.shop import Shop, unique
from support.sockets import PROTOCOL, OrderWatcher, Socket

REPLICAS = ("notification", "notification-2")
TOKEN_EXPIRED = 4401  # a close code
CREATED, PAID, CANCELED, CHANGED = (f"ecommerce.order.order.{name}.v1" for name in ("created", "paid", "canceled", "status_changed"))


def changes_of(order):
    """{id of an event of the order: the order's version after it}, in the order of the commits."""
    return {row["id"]: row["version"] for row in postgres.rows(
        f"SELECT payload::json->>'eventId' AS id, aggregate_version AS version FROM outbox.event WHERE aggregateid = '{order}' "
        "AND type LIKE 'ecommerce.order.order.%' ORDER BY seq")}


def announced(order):
    return list(changes_of(order))


def connections(replica):
    return stack.metric(replica, "notification_connections", kind="websocket") or 0


class Notifications(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack.await_ready()
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.sku = cls.shop.product(25.00, stock=1_000_000)["sku"]

    def open(self, token=None, **options):
        socket = Socket(token or self.shop.token(), **options)
        self.addCleanup(socket.close)
        return socket

    def place(self, client=None):
        return self.shop.must(201, self.shop.order([(self.sku, 1)], client=client))

    def act(self, verb, order, client=None):
        return self.shop.must(200, (client or self.shop.customer).post(f"/api/v1/orders/{order['orderId']}/{verb}", {}))

    def test_the_life_of_an_order(self):
        order = self.place()
        socket = self.open()
        socket.subscribe(order["orderId"])
        snapshot = socket.next()
        self.assertEqual((snapshot["type"], snapshot["seq"]), ("snapshot", 1))
        self.assertEqual(snapshot["order"], json.loads(self.shop.customer.get(f"/api/v1/orders/{order['orderId']}").text))
        self.act("pay", order)
        paid = socket.events(2)
        self.act("cancel", order, self.shop.staff)
        canceled = socket.events(2)
        self.assertEqual([message["event"]["eventType"] for message in paid + canceled], [PAID, CHANGED, CANCELED, CHANGED])
        self.assertEqual([message["event"]["eventId"] for message in paid + canceled], announced(order["orderId"])[1:])
        # Whoever goes on after the first half of a change has that half again, rather than never the other one.
        self.assertEqual([message["seq"] for message in paid + canceled], [1, 2, 2, 3])
        self.assertEqual(paid[1]["event"]["payload"]["status"], "PAID")
        socket.say(type="ack", seq=canceled[1]["seq"])
        socket.say(type="unsubscribe", orderId=order["orderId"])
        self.assertEqual(socket.next(), {"type": "unsubscribed", "orderId": order["orderId"]})

    def test_events_are_the_envelopes_of_kafka(self):
        order = self.place()
        socket = self.open()
        socket.subscribe(order["orderId"], after=0)
        self.assertEqual(socket.next()["type"], "subscribed")
        raw = socket.stock.recv(timeout=20)
        self.assertTrue(raw.endswith('"event":' + postgres.value(
            f"SELECT payload FROM outbox.event WHERE aggregateid = '{order['orderId']}' AND type = '{CREATED}'") + "}"), raw)

    def test_goes_on_where_it_was(self):
        order = self.place()
        socket = self.open()
        socket.subscribe(order["orderId"])
        seq = socket.next()["seq"]
        # One on each replica.
        others = [self.open(self.shop.token("STAFF", "sam")) for _ in REPLICAS]
        for other in others:
            other.subscribe(order["orderId"])
            other.next()
        socket.cut()
        self.act("pay", order)
        for other in others:
            other.events(2)
        again = self.open()
        again.subscribe(order["orderId"], seq)
        self.assertEqual(again.next(), {"type": "subscribed", "orderId": order["orderId"], "seq": seq})
        self.assertEqual([message["event"]["eventId"] for message in again.events(2)], announced(order["orderId"])[1:])

    def test_the_channel_me(self):
        user = unique("user")
        client = http.Client(self.shop.token(user=user))
        self.addCleanup(client.close)
        socket = self.open(client.token)
        socket.subscribe()
        self.assertEqual(socket.next()["type"], "subscribed")
        self.place()
        first = self.place(client)
        message = socket.events(1)[0]
        self.assertEqual((message["channel"], message["event"]["eventId"]), ("me", announced(first["orderId"])[0]), "and nobody else's")
        socket.cut()
        second = self.place(client)
        self.act("pay", first, client)
        again = self.open(client.token)
        again.subscribe(after=message["seq"])
        self.assertEqual(again.next()["type"], "subscribed")
        self.assertEqual({message["event"]["eventId"] for message in again.events(3)},
                         {*announced(second["orderId"]), *announced(first["orderId"])[1:]})

    def test_only_what_one_may_see(self):
        order = self.place()
        stranger, other_shop = unique("stranger"), Shop()
        self.addCleanup(other_shop.close)
        for token in (self.shop.token(user=stranger), other_shop.token("STAFF", "sam"), other_shop.token()):
            socket = self.open(token)
            socket.subscribe(order["orderId"])
            refused = socket.next()
            self.assertEqual((refused["type"], refused["code"]), ("error", "ORDER_NOT_FOUND"), refused)
            self.assertNotIn("event", refused)
        socket = self.open(self.shop.token("STAFF", "sam"))
        socket.subscribe(order["orderId"])
        self.assertEqual(socket.next()["type"], "snapshot", "the shop's own people may")
        self.assertEqual(self.status_of(stack.token("OPERATOR")), (403, "ROLE_NOT_ALLOWED"))

    def status_of(self, token=None, **options):
        """Of a handshake that is refused, with the problem's code."""
        with self.assertRaises(InvalidStatus) as refused:
            self.open(token, **options)
        answer = refused.exception.response
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        return answer.status_code, json.loads(answer.body)["code"]

    def test_the_forms_of_a_token(self):
        order = self.place()
        for form in ("header", "query", "subprotocol"):
            with self.subTest(form):
                socket = self.open(self.shop.token(), form=form)
                self.assertEqual(socket.stock.subprotocol, PROTOCOL if form == "subprotocol" else None)
                self.assertEqual(socket.stock.protocol.extensions, [], "nothing is compressed")
                socket.subscribe(order["orderId"])
                self.assertEqual(socket.next()["type"], "snapshot")
                self.assertEqual(self.status_of("not.a.token", form=form)[0], 401)
                self.assertEqual(self.status_of(self.shop.token(lifetime=-3600), form=form), (401, "TOKEN_EXPIRED"))
        with self.assertRaises(InvalidStatus) as refused:
            Socket(None)
        self.assertEqual(refused.exception.response.status_code, 401)

    def test_a_token_that_expires(self):
        # Clocks may differ by half a minute, so it has to be older than that to be over in seconds.
        socket = self.open(self.shop.token(lifetime=-27))
        self.assertEqual(socket.closed_with(), TOKEN_EXPIRED)

    def test_other_pages_may_not(self):
        self.assertEqual(self.status_of(headers={"Origin": "https://evil.example"}), (403, "ORIGIN_NOT_ALLOWED"))
        host = stack.env("BV_GATEWAY_URL")
        self.open(headers={"Origin": host})
        # Not even by a name that only the client gives itself.
        self.assertEqual(self.status_of(headers={"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"})[0], 403)

    def test_what_nobody_understands(self):
        socket = self.open()
        for said, code in (("{", "MALFORMED_JSON"), ('{"type":"dance"}', "UNKNOWN_TYPE"),
                           ('{"type":"subscribe","channel":"you"}', "UNKNOWN_CHANNEL"),
                           ('{"type":"subscribe","orderId":"nonsense"}', "INVALID_ID"),
                           ('{"type":"unsubscribe","channel":"me"}', "NOT_SUBSCRIBED")):
            socket.stock.send(said)
            answer = socket.next()
            self.assertEqual((answer["type"], answer["code"]), ("error", code))
        socket.stock.send("x" * 5000)
        self.assertEqual(socket.closed_with(), 1009)
        socket = self.open()
        socket.stock.send(b"binary")
        self.assertEqual(socket.closed_with(), 1003)
        socket = self.open()
        with contextlib.suppress(OSError, ConnectionClosed):
            for _ in range(200):
                socket.stock.send("nonsense")
        self.assertEqual(socket.closed_with(), 1008)

    def test_limits(self):
        token = self.shop.token(user=unique("many"))
        sockets = []
        with self.assertRaises(InvalidStatus) as refused:
            while len(sockets) < 100:
                sockets.append(self.open(token))
        self.assertEqual(refused.exception.response.status_code, 429)
        self.assertIn("Retry-After", refused.exception.response.headers)
        # Each replica counts its own.
        self.assertGreaterEqual(len(sockets), 20)
        for socket in sockets:
            socket.close()
        wait.until(lambda: self.opens(token), 10, "places again")

    def opens(self, token):
        try:
            self.open(token)
            return True
        except InvalidStatus:
            return False

    def test_every_replica_sees_everything(self):
        order = self.place()
        staff = self.shop.token("STAFF", unique("sam"))
        sockets = [self.open(staff) for _ in range(4)]
        self.assertTrue(all(connections(replica) >= 2 for replica in REPLICAS), "both have some")
        for socket in sockets:
            socket.subscribe(order["orderId"])
            self.assertEqual(socket.next()["type"], "snapshot")
        self.act("pay", order)
        for socket in sockets:
            self.assertEqual([message["event"]["eventId"] for message in socket.events(2)], announced(order["orderId"])[1:])

    def test_one_who_talks_and_does_not_listen(self):
        """It is sent away, what waits for it is bounded, and nobody else notices."""
        order = self.place()
        before = {name: stack.resident_mb(stack.pids()[name]) for name in (*REPLICAS, "gateway")}
        reading = self.open()
        reading.subscribe(order["orderId"])
        self.assertEqual(reading.next()["type"], "snapshot")
        for _ in range(5):
            deaf = self.open(max_queue=1)
            deaf.stock.socket.settimeout(5)
            deadline = time.monotonic() + 20
            with self.assertRaises((OSError, ConnectionClosed)):
                while time.monotonic() < deadline:
                    deaf.subscribe(unique("nonsense"))
        self.act("pay", order)
        self.assertEqual(len(reading.events(2)), 2)
        for name, megabytes in before.items():
            self.assertLess(stack.resident_mb(stack.pids()[name]) - megabytes, 32, name)


class Changes:
    """Orders that are paid, one after the other, and then canceled: two changes of each, evenly spread until `finish` is called."""

    COUNT = 48  # what one connection may be subscribed to
    A_SECOND = 4

    def __init__(self, shop):
        sku = shop.product(25.00, stock=1_000_000)["sku"]
        self.orders = [shop.must(201, shop.order([(sku, 1)]))["orderId"] for _ in range(self.COUNT)]
        self._shop = shop
        self._is_hurried = False
        self._failure = None
        self.made = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        with contextlib.ExitStack() as closing:
            clients = [http.Client(self._shop.token()), http.Client(self._shop.token("STAFF", "sam"))]
            for client in clients:
                closing.callback(client.close)
            try:
                for verb, client in zip(("pay", "cancel"), clients):
                    for order in self.orders:
                        self._shop.must(200, patient.post(client, f"/api/v1/orders/{order}/{verb}"))
                        self.made += 1
                        if not self._is_hurried:
                            wait.until_time(time.monotonic() + 1 / self.A_SECOND)
            except AssertionError as failure:
                self._failure = failure

    def await_more(self, count):
        goal = min(self.made + count, 2 * self.COUNT)
        wait.until(lambda: self._failure or self.made >= goal, 60, f"{count} more changes")

    def finish(self):
        self._is_hurried = True
        self._thread.join()
        if self._failure:
            raise self._failure


class Steadfast(unittest.TestCase):
    """Whatever ends meanwhile: each client comes back and sees each change once."""

    def setUp(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        gateways.behave()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.changes = Changes(self.shop)
        self.addCleanup(self.changes.finish)
        self.watchers = [OrderWatcher(self.shop.token("STAFF", unique("sam")), self.changes.orders) for _ in range(6)]
        self.watchers += [OrderWatcher(self.shop.token()) for _ in range(2)]
        for watcher in self.watchers:
            self.addCleanup(watcher.start().stop)
        wait.until(lambda: all(watcher.messages("snapshot", "subscribed") for watcher in self.watchers), 30, "everybody to be there")
        self.changes.await_more(5)

    def check(self):
        """Every watcher saw every change, in order, and nothing twice over one connection. Returns how many events there were."""
        self.changes.finish()
        wanted = {order: changes_of(order) for order in self.changes.orders}
        for number, watcher in enumerate(self.watchers):
            with self.subTest(watcher=number):
                self.assertEqual([], watcher.messages("reset", "error"))
                for messages in watcher.log:
                    ids = [message["event"]["eventId"] for message in messages if message["type"] == "event"]
                    self.assertEqual(len(ids), len(set(ids)), "twice over one connection")
                for order, versions in wanted.items():
                    self.check_order(watcher, order, versions)
        return sum(len(versions) for versions in wanted.values())

    def check_order(self, watcher, order, versions):
        last = max(versions.values())
        wait.until(lambda: self.versions(watcher, order, versions)[-1:] == [last], 60, "the last change", every=0.2)
        seen = self.versions(watcher, order, versions)
        gaps = [(before, after) for before, after in zip(seen, seen[1:]) if after not in (before, before + 1)]
        self.assertEqual([], gaps, "each version follows the one before it")

    @staticmethod
    def versions(watcher, order, versions):
        """Which the watcher came to know, one after the other. A snapshot, which it gets where events are still on their way, stands for all
        up to its own."""
        known = []
        for message in watcher.about(order):
            version = versions[message["event"]["eventId"]] if "event" in message else message["seq"]
            if "event" not in message and known:
                known += range(known[-1] + 1, version)
            known.append(version)
        return known

    def test_a_replica_is_drained(self):
        for replica in REPLICAS:
            pid = stack.send_signal(replica, signal.SIGTERM)
            stack.await_restart(replica, pid)
            self.assertEqual(stack.processes()[replica]["last_exit"], "exit code 0")
            self.changes.await_more(5)
        self.check()
        told = [message for watcher in self.watchers for message in watcher.messages("reconnect")]
        self.assertGreaterEqual(len(told), len(self.watchers), "each was told once at least")
        self.assertGreater(len({message["afterMillis"] for message in told}), 1, "not all at the same moment")

    def test_everything_dies(self):
        for victim in ("notification", "outbox-relay", "notification-2", "gateway", "kafka"):
            pid = stack.send_signal(victim, signal.SIGKILL)
            stack.await_restart(victim, pid)
            self.changes.await_more(3)
        count = self.check()
        print(f"{count} events, {sum(watcher.connections for watcher in self.watchers)} connections of {len(self.watchers)} clients, "
              f"{sum(len(watcher.messages('snapshot')) for watcher in self.watchers)} snapshots")

    def test_kafka_hangs(self):
        pid = stack.send_signal("kafka", signal.SIGSTOP)
        try:
            self.changes.await_more(5)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.changes.await_more(3)
        self.check()


if __name__ == "__main__":
    unittest.main()
