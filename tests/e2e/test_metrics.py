"""The metrics that the requirements name, and rate, errors and duration of a route and of an RPC: each changes by what was done."""

import unittest

from support import receiver, stack, wait
from support.shop import Shop, unique
from support.webhooks import CREATED, DELAYS, Webhooks

CREATE_ROUTE, CREATE_RPC = "POST /api/v1/orders", "commerce.order.v1.Orders.CreateOrder"


class Change:
    """How much a metric has grown since this was made, over all replicas of a service."""

    def __init__(self, services, name, **labels):
        self._services, self._name, self._labels = services, name, labels
        self._before = self._now()

    def _now(self):
        return sum(stack.metric(service, self._name, **self._labels) or 0 for service in self._services)

    def __call__(self):
        return self._now() - self._before


class TheFive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)

    def test_orders_and_their_latency(self):
        sku = self.shop.product(25.00, stock=10)["sku"]
        created, refused = Change(["order"], "orders_created_total"), Change(["order"], "grpc_server_handled_total", method=CREATE_RPC, code="NOT_FOUND")
        counted, sum_ms = Change(["order"], "order_creation_latency_ms_count"), Change(["order"], "order_creation_latency_ms_sum")
        within_10_s = Change(["order"], "order_creation_latency_ms_bucket", le="10000")
        key = unique("key")
        for _ in range(3):
            self.shop.must(201, self.shop.order([(sku, 1)]))
        self.shop.must(201, self.shop.order([(sku, 1)], key=key))
        self.shop.must(201, self.shop.order([(sku, 1)], key=key))  # the same order once more
        self.shop.must(409, self.shop.order([(sku, 100)]))
        self.assertEqual(4, created())
        self.assertEqual(0, refused())
        self.assertEqual(4, counted())
        self.assertEqual(4, within_10_s())
        self.assertGreater(sum_ms(), 0)

    def test_reservations_that_fail_by_their_reason(self):
        inventories = ["inventory", "inventory-2"]
        sku = self.shop.product(25.00, stock=2)["sku"]
        sold_out = Change(inventories, "inventory_reservation_failures_total", reason="OUT_OF_STOCK")
        all_of_them = Change(inventories, "inventory_reservation_failures_total")
        self.shop.must(201, self.shop.order([(sku, 1)]))
        for _ in range(3):
            self.shop.must(409, self.shop.order([(sku, 2)]))
        self.assertEqual((3, 3), (sold_out(), all_of_them()))

    def test_attempts_of_webhooks_after_the_first(self):
        subscribers = receiver.Receiver()
        self.addCleanup(subscribers.close)
        hook = subscribers.hook(receiver.in_turn(receiver.answer(500), receiver.answer(500), receiver.answer(200)))
        hooks = Webhooks(self.shop)
        self.addCleanup(hooks.close)
        hooks.subscribe(hook, CREATED)
        sku = self.shop.product(25.00, stock=1)["sku"]
        retries = Change(["webhook-dispatcher", "webhook-dispatcher-2"], "webhook_retry_attempts_total")
        self.shop.must(201, self.shop.order([(sku, 1)]))
        hook.await_requests(3, within=20 + sum(DELAYS))
        self.assertEqual(2, wait.until(retries, what="the retries"))

    def test_reads_of_products_that_the_cache_answers(self):
        path = f"/api/v1/products/{self.shop.product(25.00)['productId']}"

        def read():
            self.shop.must(200, self.shop.anyone.get(path))
        hits, misses = (Change(["product"], "product_cache_reads_total", outcome=outcome) for outcome in ("hit", "miss"))
        wait.until(lambda: read() or hits(), what="a read that the cache answers")
        hits_before, misses_before = hits(), misses()
        self.assertGreater(misses_before, 0, "the first one asked the tables")
        for _ in range(5):
            read()
        self.assertEqual((5, 0), (hits() - hits_before, misses() - misses_before))
        all_hits, all_misses = (stack.metric("product", "product_cache_reads_total", outcome=outcome) for outcome in ("hit", "miss"))
        self.assertAlmostEqual(all_hits / (all_hits + all_misses), stack.metric("product", "product_cache_hit_ratio"), places=4)


class RateErrorsDuration(unittest.TestCase):
    def test_of_a_route_and_the_rpc_behind_it(self):
        shop = Shop()
        self.addCleanup(shop.close)
        sku = shop.product(25.00, stock=1)["sku"]
        changes = {
            "requests": Change(["gateway"], "http_server_requests_total", route=CREATE_ROUTE, status="201"),
            "refused": Change(["gateway"], "http_server_requests_total", route=CREATE_ROUTE, status="409"),
            "took": Change(["gateway"], "http_server_request_seconds_count", route=CREATE_ROUTE),
            "calls": Change(["order"], "grpc_server_handled_total", method=CREATE_RPC, code="OK"),
            "failed": Change(["order"], "grpc_server_handled_total", method=CREATE_RPC, code="FAILED_PRECONDITION"),
            "lasted": Change(["order"], "grpc_server_handling_seconds_count", method=CREATE_RPC),
        }
        shop.must(201, shop.order([(sku, 1)]))
        shop.must(409, shop.order([(sku, 1)]))
        wait.until(lambda: changes["took"]() == 2, what="both requests counted")
        self.assertEqual({"requests": 1, "refused": 1, "took": 2, "calls": 1, "failed": 1, "lasted": 2},
                         {name: change() for name, change in changes.items()})


if __name__ == "__main__":
    unittest.main()
