import json
import unittest

import context  # noqa: F401
from bvtool import trace
from bvtool.console import Failure

ORDER = "ord_" + "0" * 25 + "1"


def record(*spans, service="order"):
    """A record of the collector, as Rotel writes it."""
    return json.dumps([{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}, "scopeSpans": [{"spans": [
        {"traceId": trace_id, "spanId": span_id, "parentSpanId": parent, "name": name, "kind": kind, "startTimeUnixNano": str(start),
         "endTimeUnixNano": str(end), "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
         "status": {"message": error, "code": 2} if error else None}
        for trace_id, span_id, parent, name, kind, start, end, attributes, error in spans]}]}])


ROOT = ("t1", "a", "elsewhere", "POST /api/v1/orders", trace.SERVER, 1_000_000, 9_000_000, {"http.response.status_code": "201"}, "")
CALL = ("t1", "b", "a", "commerce.order.v1.Orders.CreateOrder", trace.SERVER, 2_000_000, 8_000_000, {"rpc.system": "grpc"}, "")
LANE = ("t1", "c", "b", "lane create", trace.INTERNAL, 3_000_000, 7_000_000, {"lane.batch_size": "3", "lane.wait_ms": "0.5"}, "ABORTED: again")
EVENT = ("t1", "d", "c", "publish ecommerce.order.order", trace.PRODUCER, 7_000_000, 8_500_000,
         {trace.KEY: ORDER, "eventType": "ecommerce.order.order.created.v1"}, "")
LATER = ("t2", "e", "", "POST /api/v1/orders/{orderId}/pay", trace.SERVER, 20_000_000, 21_000_000, {trace.KEY: ORDER}, "")
OTHER = ("t3", "f", "", "GET /api/v1/products", trace.SERVER, 1, 2, {}, "")


class Kept(trace.Store):
    def __init__(self, *records):
        super().__init__("nowhere")
        self._records = records

    def _lines(self):
        return list(self._records)


class TraceTest(unittest.TestCase):
    def setUp(self):
        # The event comes last, and one record came twice.
        self.store = Kept(record(ROOT, service="gateway"), record(CALL, LANE), record(CALL, LANE), record(OTHER), record(LATER),
                          record(EVENT, service="outbox-relay"))

    def test_an_order_has_the_traces_of_its_events(self):
        found = self.store.of_order(ORDER)
        self.assertEqual({"t1": ["a", "b", "c", "d"], "t2": ["e"]}, {name: [span.span_id for span in spans] for name, spans in found.items()})
        self.assertEqual({}, self.store.of_order("ord_" + "0" * 26))

    def test_each_span_stands_below_its_parent(self):
        spans = self.store.of_trace("t1")
        self.assertEqual([("", "a"), ("└─ ", "b"), ("   └─ ", "c"), ("      └─ ", "d")], [(branch, span.span_id) for branch, span in trace.tree(spans)])
        beside = spans[:2] + [trace.Span("t1", "x", "a", "mailer", "process", trace.CONSUMER, 9, 9, {}, "")]
        self.assertEqual(["", "├─ ", "└─ "], [branch for branch, _ in trace.tree(beside)])

    def test_what_a_person_reads(self):
        text = "\n".join(trace.report(ORDER, [self.store.of_trace("t1")]))
        for part in ("4 spans in 8.00 ms", "0.00 ms     8.00 ms  gateway  POST /api/v1/orders  201", "1.00 ms     6.00 ms  └─ order  Orders.CreateOrder\n",
                     "lane create  batch of 3, waited 0.50 ms  ABORTED: again", "outbox-relay  publish ecommerce.order.order  order.order.created.v1"):
            self.assertIn(part, text)

    def test_what_is_no_order(self):
        with self.assertRaisesRegex(Failure, "not an order id"):
            trace.run(self.store, "STOVE-EMBER", as_json=False)


if __name__ == "__main__":
    unittest.main()
