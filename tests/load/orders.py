#!/usr/bin/env python3
"""POST /api/v1/orders through the gateway: orders/s and latency at 1, 8 and 64 connections, latency at a fixed rate.

Parameters: BENCH_SECONDS (of each step, default 10), BENCH_RATE (orders/s offered, default 100)."""

import http.client
import queue
import re
import threading
import time
import uuid

import _bench
from support import http as rest
from support import postgres, wait

PRODUCTS = 100
CONNECTIONS = (1, 8, 64)
AIM_PER_SECOND, AIM_P95_MS = 2500, 20

BASELINE_TABLES = """
    DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench;
    CREATE TABLE bench.stock (sku int PRIMARY KEY, on_hand bigint, reserved bigint) WITH (fillfactor = 50);
    INSERT INTO bench.stock SELECT n, 1000000000, 0 FROM generate_series(1, 100) n;
    CREATE TABLE bench.ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku int, delta int);
    CREATE TABLE bench.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, total bigint);
    CREATE TABLE bench.items (order_id bigint, sku int, qty int, price bigint);
    CREATE TABLE bench.history (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text);
    CREATE TABLE bench.outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload text);
    ANALYZE bench.stock"""


def baseline(seconds):
    """{connections: transactions a second} of an order as one transaction, straight to PostgreSQL."""
    postgres.execute(BASELINE_TABLES)
    try:
        found = {}
        for connections in CONNECTIONS:
            output = _bench.pgbench("baseline.sql", connections, "-T", max(1, int(seconds // 2)))
            found[connections] = float(re.search(r"tps = ([\d.]+)", output)[1])
        return found
    finally:
        postgres.execute("DROP SCHEMA bench CASCADE")


def closed_loop(shop, skus, seconds):
    floor = baseline(seconds)
    rows = []
    for connections in CONNECTIONS:
        meter = _bench.CpuMeter()
        report = _bench.wrk(shop, skus, connections, seconds)
        cores = meter.cores()
        placed = report["statuses"].get("201", 0)
        other = {status: count for status, count in report["statuses"].items() if status != "201"}
        per_second = placed / report["seconds"]
        rows.append([connections, f"{per_second:,.0f}", f"{report['p50']:.1f}", f"{report['p95']:.1f}", f"{report['p99']:.1f}",
                     f"{report['max']:.1f}", f"{cores / per_second * 1000:.2f}", f"{floor[connections]:,.0f}",
                     f"{per_second / floor[connections]:.2f}", other or report["lost"] or "-"])
    _bench.table(["connections", "orders/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "fleet CPU ms", "baseline/s", "ratio", "not 201"], rows)
    print(f"baseline: an order as one transaction, by pgbench straight to PostgreSQL, no services. Aim: {AIM_PER_SECOND:,} orders/s "
          f"from {CONNECTIONS[-1]} connections. `fleet CPU`: of all processes of the stack an order, the client's not among it.\n")


def open_loop(shop, skus, seconds, rate):
    """Orders at a fixed rate. Latency counts from the moment at which a request was due, so that a slow answer cannot hide the wait of
    those behind it."""
    due, latencies, failures = queue.Queue(), [], []

    def customer():
        client = rest.Client(shop.token())
        while True:
            moment, sku = due.get()
            if moment is None:
                return
            try:
                answer = client.post("/api/v1/orders", raw=_bench.order_text(sku).encode(),
                                     headers={"Idempotency-Key": str(uuid.uuid4())})
                if answer.status != 201:
                    failures.append(answer.status)
            except (OSError, http.client.HTTPException) as error:
                failures.append(repr(error))
            latencies.append((time.monotonic() - moment) * 1000)
    threads = [threading.Thread(target=customer, daemon=True) for _ in range(32)]
    for thread in threads:
        thread.start()
    start = time.monotonic() + 0.1
    for index in range(int(rate * seconds)):
        moment = start + index / rate
        wait.until_time(moment)
        due.put((moment, skus[index % len(skus)]))
    for _ in threads:
        due.put((None, None))
    for thread in threads:
        thread.join()
    p50, p95, p99 = (_bench.percentile(latencies, share) for share in (0.50, 0.95, 0.99))
    _bench.table(["offered/s", "orders", "p50 ms", "p95 ms", "p99 ms", "max ms", "not 201", f"p95 < {AIM_P95_MS} ms"],
                 [[f"{rate:g}", len(latencies), f"{p50:.1f}", f"{p95:.1f}", f"{p99:.1f}", f"{max(latencies):.1f}",
                   len(failures) or "-", "yes" if p95 < AIM_P95_MS and not failures else "NO"]])


def main():
    seconds, rate = _bench.number("BENCH_SECONDS", 10), _bench.number("BENCH_RATE", 100)
    shop, skus = _bench.shop_with(PRODUCTS)
    _bench.wrk(shop, skus, 8, 3)  # warm
    print("\nPOST /api/v1/orders, one item each, everything on this machine\n")
    open_loop(shop, skus, seconds, rate)
    closed_loop(shop, skus, seconds)


if __name__ == "__main__":
    main()
