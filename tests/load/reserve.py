#!/usr/bin/env python3
"""ReserveStock over gRPC: one hot SKU with 256 calls in flight, and 10,000 SKUs with 256 and with 512. Baseline: the same build, a transaction a
request.

Parameters: BENCH_SECONDS (of each measurement, default 10), BENCH_THREADS and BENCH_CONNECTIONS of the client (1 and 4)."""

import _bench
from support import stack

SKUS = 10_000
STOCK = 10_000_000
BUYERS = 256
HOLD_SECONDS = 86_400  # so that what one measurement holds does not expire in the next
# A transaction a request, by as many connections as lanes have, and by as many as PostgreSQL is happy with.
BASELINES = {"1 a batch": {"BV_POSTGRES_LANE_BATCH_MAX": "1"},
             "1 a batch, 32 lanes": {"BV_POSTGRES_LANE_BATCH_MAX": "1", "BV_POSTGRES_LANE_COUNT": "32"}}
AIM_PER_SECOND, AIM_P99_MS, AIM_RATIO = 15_000, 30, 10  # the last two for the hot SKU


def measure(name, skus, tokens, in_flight, address=None, pid=None):
    """A row of the table, the reservations a second, and their p99 in ms."""
    meter = _bench.CpuMeter([pid] if pid else [])
    report = _bench.loadgen("reserve", skus, tokens, address, seconds=_bench.number("BENCH_SECONDS", 10),
                            in_flight=in_flight, threads=int(_bench.number("BENCH_THREADS", 1)),
                            connections=int(_bench.number("BENCH_CONNECTIONS", 4)), hold_seconds=HOLD_SECONDS)
    cores = meter.cores()
    held = report["outcomes"].get("OK", {"count": 0, "p50_ms": 0, "p95_ms": 0, "p99_ms": 0, "max_ms": 0})
    other = {outcome: summary["count"] for outcome, summary in report["outcomes"].items() if outcome != "OK"}
    per_second = held["count"] / report["seconds"]
    row = [name, f"{len(skus):,}", in_flight, f"{per_second:,.0f}", *(f"{held[which]:.1f}" for which in ("p50_ms", "p95_ms", "p99_ms", "max_ms")),
           f"{cores / max(per_second, 1) * 1e6:,.0f}", f"{report['client_cores'] / max(per_second, 1) * 1e6:,.0f}", other or "-"]
    return row, per_second, held["p99_ms"]


def main():
    stack.await_ready()
    shop, skus = _bench.shop_with_skus(SKUS, STOCK)
    tokens = [shop.token(user=f"buyer-{number}", lifetime=6 * 3600) for number in range(BUYERS)]
    rows, verdicts = [], []
    for case, of_case, in_flight in (("hot", skus[:1], 256), ("spread", skus, 256), ("spread", skus, 512)):
        row, per_second, p99 = measure(case, of_case, tokens, in_flight)
        rows.append(row)
        floor = 0
        for name, settings in BASELINES.items():
            address = _bench.free_address()
            with _bench.another("inventory", BV_GRPC_ADDRESS=address, **settings) as pid:
                row, baseline, _ = measure(f"{case}, {name}", of_case, tokens, in_flight, address, pid)
            rows.append(row)
            floor = max(floor, baseline)
        verdict = [case, in_flight, f"{per_second:,.0f}", "yes" if per_second >= AIM_PER_SECOND else "NO", f"{p99:.1f}", "-",
                   f"{per_second / floor:.1f}", "-"]
        if case == "hot":
            verdict[5], verdict[7] = ("yes" if met else "NO" for met in (p99 < AIM_P99_MS, per_second >= AIM_RATIO * floor))
        verdicts.append(verdict)
    print("\nReserveStock over gRPC, each reservation one piece under an id of its own\n")
    _bench.table(["inventory", "SKUs", "in flight", "per s", "p50 ms", "p95 ms", "p99 ms", "max ms", "fleet CPU µs", "client CPU µs", "not OK"], rows)
    _bench.table(["case", "in flight", "per s", f"≥ {AIM_PER_SECOND:,}", "p99 ms", f"< {AIM_P99_MS}", "× better baseline", f"≥ {AIM_RATIO}"], verdicts)


if __name__ == "__main__":
    main()
