"""One order is one tree of spans, from the gateway to those who hear of it, as an OpenTelemetry collector (Rotel) takes them from the services
by OTLP; and the services' logs name the same trace."""

import json
import os
import subprocess
import sys
import unittest

from support import receiver, stack, wait
from support.shop import Shop, order_body, unique
from support.webhooks import CREATED, Webhooks

sys.path.insert(0, str(stack.ROOT / "tools"))

from bvtool import trace  # noqa: E402
from bvtool.layout import Stack  # noqa: E402

CREATE = "commerce.order.v1.Orders.CreateOrder"
RESERVE = "commerce.inventory.v1.Inventory.ReserveStock"
ORDERS = "ecommerce.order.order"
STOCK = "ecommerce.inventory.stock"
# Who hears of an order, by service, and as which group; notification has no group, since each of its replicas reads everything.
HEARERS = {("analytics", "analytics"), ("mailer", "mailer"), ("webhook-dispatcher", "webhook-dispatcher"), ("notification", "notification")}


def new_traceparent(sampled=True):
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-{'01' if sampled else '00'}"


def trace_of(traceparent):
    return traceparent.split("-")[1]


class Tree:
    """The spans of a trace, and what hangs below what."""

    def __init__(self, spans):
        self.spans = spans
        self._by_id = {span.span_id: span for span in spans}

    def all(self, service, name, kind=None, **attributes):
        return [span for span in self.spans if (span.service, span.name) == (service, name) and kind in (None, span.kind)
                and attributes.items() <= span.attributes.items()]

    def roots(self):
        return [span for span in self.spans if self.parent(span) is None]

    def parent(self, span):
        return self._by_id.get(span.parent_span_id)

    def way(self, span):
        """From the top to the span: (service, name, kind) each."""
        above = self.parent(span)
        return (self.way(above) if above else []) + [(span.service, span.name, span.kind)]


def await_tree(store, trace_id, complete, what):
    """The tree once `complete(tree)`."""
    def found():
        tree = Tree(store.of_trace(trace_id))
        return tree if complete(tree) else None
    return wait.until(found, 30, what, every=0.5)


class OneTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = trace.Store(stack.env("BV_KAFKA_BROKERS"))
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.receiver = receiver.Receiver()
        cls.addClassCleanup(cls.receiver.close)
        cls.hook = cls.receiver.hook()
        hooks = Webhooks(cls.shop)
        cls.addClassCleanup(hooks.close)
        hooks.subscribe(cls.hook, CREATED)
        cls.sku = cls.shop.product(25.00, stock=10)["sku"]
        cls.traceparent = new_traceparent()
        answer = cls.shop.customer.post("/api/v1/orders", order_body([(cls.sku, 2)]), headers={
            "traceparent": cls.traceparent, "Idempotency-Key": unique("key")})
        cls.order = cls.shop.must(201, answer)["orderId"]
        cls.tree = await_tree(cls.store, trace_of(cls.traceparent), cls.is_complete, "the whole tree of an order")

    @classmethod
    def is_complete(cls, tree):
        heard = {(span.service, span.attributes.get("messaging.consumer.group.name")) for span in tree.spans
                 if span.name == f"process {ORDERS}"}
        # Each process sends its own, when it has time.
        return (HEARERS <= heard and len(tree.roots()) == 1 and tree.all("inventory", "lane stock") and tree.all("order", "lane order")
                and tree.all("outbox-relay", f"publish {STOCK}") and tree.all("webhook-dispatcher", "POST", trace.CLIENT))

    def one(self, *arguments, **attributes):
        found = self.tree.all(*arguments, **attributes)
        self.assertEqual(1, len(found), f"{arguments} {attributes}: {[(span.service, span.name, span.kind) for span in self.tree.spans]}")
        return found[0]

    def test_all_spans_are_one_tree_below_the_callers(self):
        (root,) = self.tree.roots()
        self.assertEqual(("gateway", "POST /api/v1/orders", trace.SERVER), (root.service, root.name, root.kind))
        self.assertEqual(self.traceparent.split("-")[2], root.parent_span_id)
        self.assertEqual({trace_of(self.traceparent)}, {span.trace_id for span in self.tree.spans})

    def test_the_call_goes_from_the_gateway_through_order_to_the_stocks_lane(self):
        self.assertEqual([("gateway", "POST /api/v1/orders", trace.SERVER), ("gateway", CREATE, trace.CLIENT), ("order", CREATE, trace.SERVER),
                          ("order", RESERVE, trace.CLIENT), ("inventory", RESERVE, trace.SERVER), ("inventory", "lane stock", trace.INTERNAL)],
                         self.tree.way(self.one("inventory", "lane stock")))

    def test_a_span_lies_within_the_one_that_waits_for_it(self):
        for span in self.tree.spans:
            above = self.tree.parent(span)
            if above is None or span.kind in (trace.PRODUCER, trace.CONSUMER) or above.kind == trace.CONSUMER:
                continue
            with self.subTest(span.name):
                # Two processes' clocks are the same one; the start and the length of a span are taken by two.
                self.assertGreaterEqual(span.start, above.start - 1_000_000)
                self.assertLessEqual(span.end, above.end + 1_000_000)

    def test_the_order_is_published_below_the_lane_that_stored_it(self):
        published = self.one("outbox-relay", f"publish {ORDERS}", trace.PRODUCER)
        self.assertEqual(("order", "lane order", trace.INTERNAL), self.tree.way(published)[-2])
        self.assertEqual((self.order, CREATED), (published.attributes[trace.KEY], published.attributes["eventType"]))
        reserved = self.one("outbox-relay", f"publish {STOCK}", trace.PRODUCER)
        self.assertEqual(("inventory", "lane stock", trace.INTERNAL), self.tree.way(reserved)[-2])

    def test_each_who_hears_of_it_hangs_below_the_publication(self):
        published = self.one("outbox-relay", f"publish {ORDERS}", trace.PRODUCER)
        for service, group in HEARERS:
            with self.subTest(service):
                heard = self.tree.all(service, f"process {ORDERS}", trace.CONSUMER, **{"messaging.consumer.group.name": group})
                self.assertTrue(heard)
                self.assertEqual({published.span_id}, {span.parent_span_id for span in heard})
                self.assertEqual({self.order}, {span.attributes[trace.KEY] for span in heard})

    def test_the_subscriber_is_told_the_attempts_span(self):
        (request,) = self.hook.await_requests(1)
        attempt = self.one("webhook-dispatcher", "POST", trace.CLIENT)
        self.assertEqual(f"00-{attempt.trace_id}-{attempt.span_id}-01", request.headers["traceparent"])
        self.assertEqual(("webhook-dispatcher", f"process {ORDERS}", trace.CONSUMER), self.tree.way(attempt)[-2])
        self.assertEqual(("200", "1"), (attempt.attributes["http.response.status_code"], attempt.attributes["webhook.attempt"]))

    def test_no_span_has_personal_data(self):
        text = json.dumps([span.as_json() for span in self.tree.spans])
        for personal in ("ada@example.com", "Harbour", "Ada Example", "+15035550100"):
            self.assertNotIn(personal, text)

    def test_logs_of_the_order_name_the_trace(self):
        def lines():
            return [line for service in stack.SERVICES for line in log_lines(service, self.order, trace_of(self.traceparent))]
        created = wait.until(lambda: [line for line in lines() if line["message"] == "order created"], 10, "the line of the order")
        self.assertEqual([(self.order, "ada", self.shop.tenant, CREATED)],
                         [(line["orderId"], line["userId"], line["tenantId"], line["eventType"]) for line in created])
        for line in lines():
            with self.subTest(line["message"]):
                self.assertEqual(trace_of(self.traceparent), line["traceId"])
                self.assertNotRegex(json.dumps(line), "ada@example.com|Harbour|Ada Example|15035550100")

    def test_the_tool_shows_it(self):
        shown = tool(self.order)
        self.assertEqual(0, shown.returncode, shown.stderr)
        for part in (f"Order {self.order}", trace_of(self.traceparent), "gateway  POST /api/v1/orders  201", "inventory  Inventory.ReserveStock",
                     f"outbox-relay  publish {ORDERS}", f"mailer  process {ORDERS}"):
            self.assertIn(part, shown.stdout)
        spans = json.loads(tool(self.order, "--json").stdout)
        self.assertLessEqual({span.span_id for span in self.tree.spans}, {span["span_id"] for span in spans})


class WhatIsNotTraced(unittest.TestCase):
    def test_a_trace_that_is_not_sampled_has_no_span_but_its_id_in_the_event(self):
        shop = Shop()
        self.addCleanup(shop.close)
        sku = shop.product(25.00, stock=10)["sku"]
        store = trace.Store(stack.env("BV_KAFKA_BROKERS"))
        silent, heard = new_traceparent(sampled=False), new_traceparent()
        for traceparent in (silent, heard):
            shop.must(201, shop.customer.post("/api/v1/orders", order_body([(sku, 1)]), headers={"traceparent": traceparent}))
        # Each process sends its spans in their order, so the earlier one's would be there.
        await_tree(store, trace_of(heard), lambda tree: tree.all("mailer", f"process {ORDERS}") and tree.all("gateway", "POST /api/v1/orders")
                   and tree.all("order", CREATE), "the tree of the later order")
        self.assertEqual([], store.of_trace(trace_of(silent)))

    def test_a_refusal_is_a_failed_span(self):
        shop = Shop()
        self.addCleanup(shop.close)
        sku = shop.product(25.00, stock=1)["sku"]
        traceparent = new_traceparent()
        shop.must(409, shop.customer.post("/api/v1/orders", order_body([(sku, 5)]), headers={"traceparent": traceparent}))
        tree = await_tree(trace.Store(stack.env("BV_KAFKA_BROKERS")), trace_of(traceparent),
                          lambda tree: tree.all("inventory", RESERVE, trace.SERVER) and tree.all("order", CREATE, trace.SERVER), "the refused order's tree")
        for span in tree.all("inventory", RESERVE, trace.SERVER) + tree.all("order", CREATE, trace.SERVER):
            self.assertRegex(span.error, "^FAILED_PRECONDITION: ")

    def test_an_order_that_is_not_there(self):
        shown = tool("ord_" + "0" * 26)
        self.assertEqual(1, shown.returncode)
        self.assertIn("No span of the order ord_", shown.stderr)
        shown = tool("STOVE-EMBER")
        self.assertEqual(1, shown.returncode)
        self.assertIn("is not an order id", shown.stderr)


def tool(*arguments):
    return subprocess.run([sys.executable, "-B", str(stack.BV), "trace", "--stack", stack.env("BV_STACK"), *arguments],
                          capture_output=True, text=True, check=False, timeout=60)


def log_lines(service, *texts):
    """The lines of a service's log that have one of the texts."""
    with open(Stack(stack.env("BV_STACK")).log(service), encoding="utf-8", errors="replace") as file:
        return [json.loads(line) for line in file if line.endswith("\n") and any(text in line for text in texts)]


if __name__ == "__main__":
    unittest.main()
