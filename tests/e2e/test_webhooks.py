"""Webhooks from the order to the subscriber's own library, and everything that a subscriber may ask for or do wrong."""

import time
import unittest

from support import kafka, receiver, wait
from support.receiver import answer, in_turn
from support.shop import Shop, unique
from support.verifiers import ACCEPTED, Verifiers
from support.webhooks import ATTEMPTS, BASE, CREATED, DELAYS, ORDERS, TESTED, Webhooks, moment, pauses

FAILED_TOPIC = "ecommerce.webhook.delivery"
DISABLED_TOPIC = "ecommerce.webhook.subscription"
TOLERANCE = 1.0  # seconds

# Each is refused when somebody wants it to be a subscription's URL.
FORGED = (
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://example.com:22/", "https://example.com:0/",
    "https://user:password@example.com/", "https://example.com@10.0.0.1/", "https://example.com\\@10.0.0.1/", "https://example.com/#x",
    "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.0.1/", "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/",
    "https://198.18.0.1/", "https://0.0.0.0/", "https://255.255.255.255/", "https://167772161/", "https://0xa.0.0.1/", "https://012.0.0.1/",
    "https://10.1/", "https://10.0.0.1./", "https://[::1]/", "https://[::]/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/", "https://[fe80::1%25eth0]/", "https://[fd00::1]/", "https://printer.local/", "https://metadata.google.internal/",
    "https://postgres/", "https://ex\u00e4mple.com/", "https://example.com./", "", "x" * 2001,
)


class Case(unittest.TestCase):
    def setUp(self):
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.webhooks = Webhooks(self.shop)
        self.addCleanup(self.webhooks.close)
        self.receiver = receiver.Receiver()
        self.addCleanup(self.receiver.close)

    def place_order(self, **changes):
        if not hasattr(self, "sku"):
            self.sku = self.shop.product(25.00, stock=10_000)["sku"]
        return self.shop.must(201, self.shop.order([(self.sku, 1)], unique("key"), **changes))["orderId"]


class Signatures(Case):
    def setUp(self):
        super().setUp()
        self.verifiers = Verifiers()
        self.addCleanup(self.verifiers.close)

    def said(self, secret, request, body=None):
        return self.verifiers.ask(secret, request.headers, request.body if body is None else body)

    def test_an_order_reaches_its_subscribers_signed(self):
        hook = self.receiver.hook(answer(200, "thanks"))
        subscription = self.webhooks.subscribe(hook, CREATED)
        with kafka.Tail(kafka.ORDERS, kafka.now()) as tail:
            order = self.place_order()
            published = tail.find(order)
        (request,) = hook.await_requests(1)
        self.assertEqual(published.value, request.body)
        self.assertEqual(CREATED, request.headers["x-bv-event-type"])
        self.assertEqual("application/json", request.headers["content-type"])
        self.assertEqual(ACCEPTED, self.said(subscription["secret"], request))
        for name, objection in self.said(subscription["secret"], request, request.body + " ").items():
            self.assertTrue(objection, f"{name} accepts another body")
        # The log has it, and the secret is nowhere else.
        delivery = self.webhooks.await_status(request.id, "DELIVERED")
        (attempt,) = delivery["attempts"]
        self.assertEqual((200, "thanks", ""), (attempt["status"], attempt["answer"], attempt.get("errorClass", "")))
        self.assertEqual(request.event["eventId"], delivery["eventId"])
        self.assertEqual("", self.webhooks.get(subscription)["secret"])

    def test_a_rotation_signs_with_both_secrets_until_its_end(self):
        hook = self.receiver.hook()
        first = self.webhooks.subscribe(hook)
        second = self.webhooks.act(first, "rotate-secret", {"overlapSeconds": 2})
        self.assertNotEqual(first["secret"], second["secret"])
        self.webhooks.test(first)
        (request,) = hook.await_requests(1)
        self.assertEqual(ACCEPTED, self.said(first["secret"], request))
        self.assertEqual(ACCEPTED, self.said(second["secret"], request))
        wait.until(lambda: time.time() > moment(second["previousSecretUntil"]) + 0.1, 5, "the end of the overlap")
        self.webhooks.test(first)
        request = hook.await_requests(2)[1]
        self.assertEqual(ACCEPTED, self.said(second["secret"], request))
        self.assertTrue(all(self.said(first["secret"], request).values()), "the old secret still signs")


class Control(Case):
    def test_a_pause_keeps_what_comes_for_later(self):
        paused, other = self.receiver.hook(), self.receiver.hook()
        subscription = self.webhooks.subscribe(paused, CREATED)
        self.webhooks.subscribe(other, CREATED)
        self.webhooks.act(subscription, "pause")
        orders = [self.place_order() for _ in range(3)]
        other.await_requests(3)
        waiting = wait.until(lambda: (lambda found: found if len(found) == 3 else None)(
            self.webhooks.deliveries(subscriptionId=subscription["subscriptionId"])), 20, "three deliveries in the log")
        self.assertEqual([("PENDING", 0)] * 3, [(each["status"], each.get("attemptsMade", 0)) for each in waiting])
        self.assertEqual([], paused.requests)
        self.webhooks.act(subscription, "resume")
        arrived = paused.await_requests(3)
        self.assertEqual(set(orders), {request.event["partitionKey"] for request in arrived})

    def test_redeliveries_of_one_and_of_a_range(self):
        hook = self.receiver.hook()
        subscription = self.webhooks.subscribe(hook, CREATED)
        for _ in range(3):
            self.place_order()
        first = hook.await_requests(3)
        for request in first:
            self.webhooks.await_status(request.id, "DELIVERED")
        again = self.webhooks.must(201, self.webhooks.client.post(f"{BASE}/deliveries/{first[0].id}/redeliver", {}))
        self.assertEqual(first[0].id, again["redeliveryOf"])
        request = hook.await_requests(4)[3]
        self.assertEqual((again["deliveryId"], first[0].body), (request.id, request.body))
        self.webhooks.await_status(request.id, "DELIVERED")
        made = self.webhooks.must(200, self.webhooks.client.post(f"{BASE}/deliveries:redeliver", {
            "subscriptionId": subscription["subscriptionId"], "eventType": CREATED, "status": "DELIVERED"}))
        self.assertEqual(4, made["count"])
        repeated = hook.await_requests(8)[4:]
        self.assertEqual(sorted(request.body for request in (*first, request)), sorted(request.body for request in repeated))

    def test_a_store_hears_of_its_own_orders_only(self):
        stores = {"eu": self.receiver.hook(), "us": self.receiver.hook()}
        every = self.receiver.hook()
        subscriptions = {store: self.webhooks.subscribe(hook, ORDERS, storeCodes=[store]) for store, hook in stores.items()}
        self.webhooks.subscribe(every, CREATED)
        orders = {store: self.place_order(storeCode=store) for store in ("eu", "us", "till")}
        self.assertEqual(set(orders.values()), {request.event["partitionKey"] for request in every.await_requests(3)})
        for store, hook in stores.items():
            (request,) = hook.await_requests(1)
            self.assertEqual((orders[store], store), (request.event["partitionKey"], request.event["payload"]["storeCode"]))
            self.webhooks.await_status(request.id, "DELIVERED")
            self.assertEqual({request.id}, {each["deliveryId"] for each in self.webhooks.deliveries(
                storeCode=store, subscriptionId=subscriptions[store]["subscriptionId"])})
        # Another store from now on, and again, at request, what happened in it before.
        path = f"{BASE}/subscriptions/{subscriptions['eu']['subscriptionId']}"
        changed = self.webhooks.must(200, self.webhooks.client.call("PATCH", path, {"storeCodes": ["till"]}))
        self.assertEqual(["till"], changed["storeCodes"])
        self.place_order(storeCode="eu")
        sold = self.place_order(storeCode="till")
        self.assertEqual(sold, stores["eu"].await_requests(2)[1].event["partitionKey"])
        made = self.webhooks.must(200, self.webhooks.client.post(f"{BASE}/deliveries:redeliver", {"storeCode": "us"}))
        self.assertEqual(2, made["count"])
        self.assertEqual(orders["us"], stores["us"].await_requests(2)[1].event["partitionKey"])
        details = [record["detail"] for record in self.webhooks.must(200, self.webhooks.client.get(f"{path}/audit"))["records"]]
        self.assertEqual(["stores: till", f"event types: {ORDERS}; stores: eu"], details)
        for types, codes, code in ((["ecommerce.*"], ["eu"], "EVENT_TYPE_WITHOUT_STORE"), ([ORDERS], ["e u"], "INVALID_VALUE")):
            refused = self.webhooks.create("https://hooks.example.com/", *types, storeCodes=codes)
            self.assertEqual((422, code), (refused.status, refused.json.get("code")), str(refused))

    def test_a_test_event_reaches_its_subscription_only(self):
        hook, other = self.receiver.hook(), self.receiver.hook()
        subscription = self.webhooks.subscribe(hook)
        self.webhooks.subscribe(other, "ecommerce.*")
        delivery = self.webhooks.test(subscription)
        (request,) = hook.await_requests(1)
        self.assertEqual((TESTED, delivery["deliveryId"]), (request.event["eventType"], request.id))
        self.webhooks.await_status(request.id, "DELIVERED")
        self.place_order()
        self.assertNotIn(TESTED, {found.event["eventType"] for found in other.await_requests(1)})

    def test_fifo_keeps_the_order_of_a_receiver_that_fails(self):
        hook = self.receiver.hook(in_turn(answer(503), answer()))
        self.webhooks.subscribe(hook, CREATED, order="FIFO")
        orders = [self.place_order() for _ in range(4)]
        requests = hook.await_requests(5)
        self.assertEqual([1, 1, 2, 3, 4], [int(request.headers["x-bv-sequence"]) for request in requests])
        # Orders of one customer, one after the other: their events may be of several partitions of the topic.
        self.assertEqual(set(orders), {request.event["partitionKey"] for request in requests})

    def test_the_log_is_searched(self):
        good, bad = self.receiver.hook(), self.receiver.hook(answer(400))
        subscriptions = self.webhooks.subscribe(good), self.webhooks.subscribe(bad)
        delivered, failing = (self.webhooks.test(each) for each in subscriptions)
        self.webhooks.await_status(delivered["deliveryId"], "DELIVERED")
        def ids(**filters):
            return {each["deliveryId"] for each in self.webhooks.deliveries(**filters)}
        self.assertEqual({delivered["deliveryId"]}, ids(status="DELIVERED"))
        self.assertEqual({failing["deliveryId"]}, ids(status="PENDING"))
        self.assertEqual({failing["deliveryId"]}, ids(subscriptionId=subscriptions[1]["subscriptionId"]))
        self.assertEqual({delivered["deliveryId"], failing["deliveryId"]}, ids(eventType=TESTED))
        self.assertEqual({delivered["deliveryId"]}, ids(eventId=delivered["eventId"]))
        self.assertEqual(set(), ids(until=delivered["createdAt"]) & {delivered["deliveryId"]})
        self.assertEqual(set(), ids(eventType=CREATED))

    def test_forged_urls_are_refused(self):
        subscription = self.webhooks.subscribe(self.receiver.hook())
        for url in FORGED:
            changed = self.webhooks.client.call("PATCH", f"{BASE}/subscriptions/{subscription['subscriptionId']}", {"url": url})
            for refused in (self.webhooks.create(url), changed):
                with self.subTest(url[:100]):
                    self.assertEqual((422, "URL_REFUSED"), (refused.status, refused.json.get("code")), str(refused))
        self.assertEqual(subscription["url"], self.webhooks.get(subscription)["url"])

    def test_other_tenants_see_nothing(self):
        hook = self.receiver.hook()
        subscription = self.webhooks.subscribe(hook)
        delivery = self.webhooks.test(subscription)
        hook.await_requests(1)
        other = Shop()
        self.addCleanup(other.close)
        stranger = Webhooks(other)
        self.addCleanup(stranger.close)
        self.assertEqual(404, stranger.client.get(f"{BASE}/subscriptions/{subscription['subscriptionId']}").status)
        self.assertEqual(404, stranger.client.get(f"{BASE}/deliveries/{delivery['deliveryId']}").status)
        self.assertEqual([], stranger.deliveries())
        self.assertEqual(403, self.shop.customer.get(f"{BASE}/subscriptions").status)


class BadReceivers(Case):
    def test_a_delivery_that_always_fails_is_a_dead_letter(self):
        hook = self.receiver.hook(answer(500, "password=hunter2 and more"))
        subscription = self.webhooks.subscribe(hook)
        since = kafka.now()
        delivery = self.webhooks.test(subscription)
        failed = self.webhooks.await_status(delivery["deliveryId"], "FAILED", within=sum(DELAYS) + 20)
        self.assertEqual([str(number) for number in range(1, ATTEMPTS + 1)],
                         [request.headers["x-bv-attempt"] for request in hook.requests])
        self.assertEqual(1, len({request.id for request in hook.requests}))
        for due, pause in zip(DELAYS, pauses(failed)):
            self.assertAlmostEqual(due, pause, delta=TOLERANCE)
            self.assertGreaterEqual(pause, due - 0.05)
        for attempt in failed["attempts"]:
            self.assertEqual((500, "STATUS"), (attempt["status"], attempt["errorClass"]))
            self.assertNotIn("hunter2", attempt["answer"])
        with kafka.Tail(FAILED_TOPIC, since) as tail:
            event = tail.find(subscription["subscriptionId"]).json
        self.assertEqual("ecommerce.webhook.delivery.failed.v1", event["eventType"])
        self.assertEqual((delivery["deliveryId"], ATTEMPTS, 500, "STATUS"),
                         tuple(event["payload"][name] for name in ("deliveryId", "attempts", "lastStatus", "errorClass")))
        self.assertEqual([delivery["deliveryId"]], [each["deliveryId"] for each in self.webhooks.deliveries(status="FAILED")])

    def test_every_kind_of_failure_is_tried_again(self):
        elsewhere = self.receiver.hook()
        kinds = {
            "close": (receiver.close, "CONNECTION"), "hang": (receiver.hang, "TIMEOUT"), "trickle": (receiver.trickle, "TIMEOUT"),
            "flood": (receiver.flood(), "ANSWER_TOO_LARGE"), "redirect": (receiver.redirect(elsewhere.url), "STATUS"),
            **{str(status): (answer(status), "STATUS") for status in (301, 304, 400, 401, 404, 408, 422, 500, 502, 503, 504, 599)},
        }
        # To a connection that is kept from another request libcurl makes the request once more by itself, on a new one.
        alone = receiver.Receiver()
        self.addCleanup(alone.close)
        deliveries = {}
        for kind, (behaviour, _) in kinds.items():
            server = alone if kind == "close" else self.receiver
            deliveries[kind] = self.webhooks.test(self.webhooks.subscribe(server.hook(in_turn(behaviour, answer()))))
        for kind, (_, error_class) in kinds.items():
            with self.subTest(kind):
                first, second = self.webhooks.await_status(deliveries[kind]["deliveryId"], "DELIVERED")["attempts"]
                self.assertEqual((error_class, ""), (first["errorClass"], second.get("errorClass", "")))
                self.assertTrue(first["detail"])
        self.assertEqual([], elsewhere.requests)

    def test_success_is_any_2xx(self):
        deliveries = [self.webhooks.test(self.webhooks.subscribe(self.receiver.hook(answer(status)))) for status in (200, 201, 202, 204, 299)]
        for delivery in deliveries:
            self.assertEqual(1, len(self.webhooks.await_status(delivery["deliveryId"], "DELIVERED")["attempts"]))

    def test_410_disables_until_somebody_resumes(self):
        hook = self.receiver.hook(in_turn(answer(410), answer()))
        subscription = self.webhooks.subscribe(hook)
        since = kafka.now()
        delivery = self.webhooks.test(subscription)
        self.assertEqual("GONE", self.webhooks.await_subscription(subscription, "DISABLED")["disabledReason"])
        with kafka.Tail(DISABLED_TOPIC, since) as tail:
            self.assertEqual("GONE", tail.find(subscription["subscriptionId"]).json["payload"]["reason"])
        self.assertEqual(1, len(hook.requests))
        self.webhooks.act(subscription, "resume")
        self.webhooks.await_status(delivery["deliveryId"], "DELIVERED")

    def test_retry_after_counts_up_to_twice_the_delay(self):
        asked = {"1": 1.0, "3600": 2 * DELAYS[0]}
        for seconds, expected in asked.items():
            hook = self.receiver.hook(in_turn(answer(429, Retry_After=seconds), answer()))
            delivery = self.webhooks.test(self.webhooks.subscribe(hook))
            (pause,) = pauses(self.webhooks.await_status(delivery["deliveryId"], "DELIVERED"))
            self.assertGreaterEqual(pause, expected - 0.05)
            self.assertLessEqual(pause, expected + TOLERANCE)


if __name__ == "__main__":
    unittest.main()
