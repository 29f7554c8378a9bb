#!/usr/bin/env python3
"""What a decision of the policy takes, from the service's question to OPA's answer, under cancellations by many customers at once.

Parameters: BENCH_ORDERS (2,000), BENCH_CONNECTIONS (8)."""

import concurrent.futures
import re
import time
import urllib.request

import _bench
from support import http, stack
from support.shop import unique

AIM_MS = 2.0
BUCKET = re.compile(r'^bv_policy_decision_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\S+)$', re.MULTILINE)


def buckets():
    """{upper bound in seconds: decisions of at most that} of order, as Prometheus reads them."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(stack.env("BV_METRICS_ORDER"), timeout=10) as page:
        return {float(bound): float(count) for bound, count in BUCKET.findall(page.read().decode())}


def at_most_ms(before, after, share):
    """The lowest of the histogram's bounds that at least `share` of the decisions in between did not exceed."""
    counts = {bound: count - before.get(bound, 0.0) for bound, count in after.items()}
    return min(bound for bound, count in sorted(counts.items()) if count >= share * counts[float("inf")]) * 1000


def cancel_all(shop, orders):
    client = http.Client(shop.token())
    took = []
    for order in orders:
        begun = time.monotonic()
        answer = client.post(f"/api/v1/orders/{order}/cancel", {}, headers={"Idempotency-Key": unique("key")})
        took.append((time.monotonic() - begun) * 1000)
        shop.must(200, answer)
    client.close()
    return took


def place_all(shop, sku, count):
    client = http.Client(shop.token())
    placed = [shop.must(201, shop.order([(sku, 1)], unique("key"), client))["orderId"] for _ in range(count)]
    client.close()
    return placed


def main():
    orders, connections = int(_bench.number("BENCH_ORDERS", 2000)), int(_bench.number("BENCH_CONNECTIONS", 8))
    stack.await_ready()
    shop, (sku,) = _bench.shop_with(1)
    rows = []
    for at_once in dict.fromkeys((1, connections)):
        share = max(1, orders // at_once // (10 if at_once == 1 else 1))
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            placed = list(pool.map(lambda _: place_all(shop, sku, share), range(at_once)))
            before = buckets()
            took = [one for part in pool.map(lambda part: cancel_all(shop, part), placed) for one in part]
            after = buckets()
        rows.append((at_once, len(took), *(f"≤ {at_most_ms(before, after, part):g}" for part in (0.5, 0.99, 0.999)),
                     f"{_bench.percentile(took, 0.5):.1f}", f"{_bench.percentile(took, 0.99):.1f}"))
    print(f"\nDecisions of the policy, aim: 99 % within {AIM_MS:g} ms; beside them the whole cancellation through the gateway, ms\n")
    _bench.table(["at once", "cancellations", "decision p50", "p99", "p99.9", "cancellation p50", "p99"], rows)


if __name__ == "__main__":
    main()
