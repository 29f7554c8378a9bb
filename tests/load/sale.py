#!/usr/bin/env python3
"""A sale over gRPC: 100,000 buyers come in 30 s for 1,000 pieces of one SKU, while others buy other things.

Every buyer has a token of their own and comes once, when they are due; latency counts from there. The others reserve at a steady rate before
and during the sale, over a connection of their own.
Parameters: BENCH_UNITS (1,000), BENCH_BUYERS (100,000), BENCH_SALE_SECONDS (30), BENCH_QUIET (seconds before it, 15),
BENCH_OTHERS (a second, 200), BENCH_THREADS and BENCH_CONNECTIONS (of each) of the client (1 and 4)."""

import _bench
from support import postgres, stack

OTHER_SKUS = 1000
HOLD_SECONDS = 86_400
AIM_REFUSAL_P99_MS, AIM_OTHERS_RATIO = 50, 2


def whole(name, default):
    return int(_bench.number(name, default))


def held(shop, sku):
    """Pieces of a SKU in reservations, as the database has them."""
    return postgres.value(f"SELECT coalesce(sum(qty), 0)::bigint AS qty FROM inventory.reservation_line "
                          f"WHERE tenant_id = {postgres.quote(shop.tenant)} AND sku = {postgres.quote(sku)}")


def summary(name, summaries):
    """Rows of the table, one an outcome."""
    return [[name, outcome, f"{found['count']:,}", *(f"{found[which]:.1f}" for which in ("p50_ms", "p95_ms", "p99_ms", "max_ms"))]
            for outcome, found in sorted(summaries.items())]


def main():
    units, buyers, seconds = whole("BENCH_UNITS", 1000), whole("BENCH_BUYERS", 100_000), _bench.number("BENCH_SALE_SECONDS", 30)
    stack.await_ready()
    shop, others = _bench.shop_with_skus(OTHER_SKUS, 1_000_000)
    sku = shop.product(25.00, sku="SALE", stock=units)["sku"]
    tokens = [shop.token(user=f"buyer-{number}", lifetime=6 * 3600) for number in range(buyers)]
    report = _bench.loadgen("sale", others, tokens, sale_sku=sku, buyers=buyers, seconds=seconds, quiet=_bench.number("BENCH_QUIET", 15),
                            others=_bench.number("BENCH_OTHERS", 200), threads=whole("BENCH_THREADS", 1),
                            connections=whole("BENCH_CONNECTIONS", 4), hold_seconds=HOLD_SECONDS)

    print(f"\n{units:,} pieces, {buyers:,} buyers in {seconds:g} s; the client had {report['client_cores']:.2f} cores\n")
    _bench.table(["who", "outcome", "count", "p50 ms", "p95 ms", "p99 ms", "max ms"],
                 [*summary("buyers", report["buyers"]), *summary("others before", report["others_before"]),
                  *summary("others during", report["others_during"]), *summary("client behind its schedule", report["lateness"])])
    sold = report["buyers"].get("OK", {"count": 0})["count"]
    refusals = report["buyers"].get("OUT_OF_STOCK", {"p99_ms": 0})["p99_ms"]
    before, during = (report[phase]["OK"]["p99_ms"] for phase in ("others_before", "others_during"))
    in_database = held(shop, sku)
    _bench.table(["aim", "found", "met"], [
        [f"exactly {units:,} sold", f"{sold:,} answered, {in_database:,} in the database", "yes" if sold == in_database == units else "NO"],
        ["every buyer bought or was out of stock", ", ".join(sorted(report["buyers"])),
         "yes" if set(report["buyers"]) <= {"OK", "OUT_OF_STOCK"} else "NO"],
        [f"refusals p99 < {AIM_REFUSAL_P99_MS} ms", f"{refusals:.1f} ms", "yes" if refusals < AIM_REFUSAL_P99_MS else "NO"],
        [f"others' p99 within {AIM_OTHERS_RATIO} × of quiet", f"{before:.1f} → {during:.1f} ms, × {during / before:.2f}",
         "yes" if during <= AIM_OTHERS_RATIO * before else "NO"]])


if __name__ == "__main__":
    main()
