#!/usr/bin/env python3
"""`product` with prices and availability by POST /graphql through the gateway, at a fixed rate: latency when Redis has nothing of it, and when it has.

Parameters: BENCH_SECONDS (of each step, default 5), BENCH_RATE (requests/s offered, default 300)."""

import concurrent.futures
import http.client
import json
import queue
import threading
import time

import _bench
from support import http as rest
from support import postgres, stack, wait
from support.shop import Shop

AIM_P95_MS = 20
CLIENTS = 32
QUERY = """query($id: ID!) {product(id: $id) {
  id title description status variants {sku price {amount currency} compareAtPrice {amount} availability {inStock available}}}}"""


def by_graphql(client, product_id):
    answer = client.call("POST", "/graphql", {"query": QUERY, "variables": {"id": product_id}})
    return answer.status == 200 and '"errors"' not in answer.text and '"available":' in answer.text


def by_rest(client, product_id):
    return client.get(f"/api/v1/products/{product_id}").status == 200


def open_loop(shop, ask, ids, rate):
    """One request for each of `ids`. Latency in ms counts from the moment at which a request was due; returns them and what failed."""
    due, latencies, failures = queue.Queue(), [], []

    def reader():
        client = rest.Client(tenant=shop.tenant)
        while (item := due.get()) is not None:
            moment, product_id = item
            try:
                if not ask(client, product_id):
                    failures.append(product_id)
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))
            latencies.append((time.monotonic() - moment) * 1000)
        client.close()
    threads = [threading.Thread(target=reader, daemon=True) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    start = time.monotonic() + 0.1
    for index, product_id in enumerate(ids):
        moment = start + index / rate
        wait.until_time(moment)
        due.put((moment, product_id))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    return latencies, failures


def row(name, shop, ask, ids, rate):
    meter = _bench.CpuMeter()
    latencies, failures = open_loop(shop, ask, ids, rate)
    cores = meter.cores()
    p50, p95, p99 = (_bench.percentile(latencies, share) for share in (0.50, 0.95, 0.99))
    return [name, f"{rate:g}", len(latencies), f"{p50:.1f}", f"{p95:.1f}", f"{p99:.1f}", f"{max(latencies):.1f}", f"{cores / rate * 1000:.2f}",
            len(failures) or "-", "yes" if p95 < AIM_P95_MS and not failures else "NO"]


def products(count):
    """A shop with so many products in stock, and their ids."""
    shop = Shop()

    def make(some):
        own = Shop(shop.tenant)
        made = [own.product(25.00, stock=100)["productId"] for _ in range(some)]
        own.close()
        return made
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return shop, [product_id for made in pool.map(make, [count // 8 + 1] * 8) for product_id in made]


def main():
    seconds, rate = _bench.number("BENCH_SECONDS", 5), _bench.number("BENCH_RATE", 300)
    count = int(seconds * rate)
    shop, ids = products(count)
    other, few = products(64)
    # What the planner knows of an empty table is wrong now.
    postgres.execute("ANALYZE")
    often = (few * (count // len(few) + 1))[:count]
    open_loop(other, by_graphql, often, rate)  # the compiler of Node.js is warm, too
    before = (stack.metric("graphql", "graphql_cache_reads_total", outcome="hit") or 0)
    print("\nA product with prices and availability through the gateway, everything on this machine\n")
    # What nobody has asked for comes last, when the events of its making have been heard.
    rows = [row("baseline: REST, the product alone", other, by_rest, often, rate),
            row("GraphQL, kept", other, by_graphql, often, rate),
            row("GraphQL, nothing kept", shop, by_graphql, ids[:count], rate)]
    _bench.table(["", "offered/s", "answers", "p50 ms", "p95 ms", "p99 ms", "max ms", "fleet CPU ms", "failed", f"p95 < {AIM_P95_MS} ms"], rows)
    hits = (stack.metric("graphql", "graphql_cache_reads_total", outcome="hit") or 0) - before
    print(json.dumps({"cache hits": hits}))


if __name__ == "__main__":
    main()
