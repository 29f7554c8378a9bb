#!/usr/bin/env python3
"""Where the processors' time goes under load: by process, by kind of work, by function.

Parameters: BENCH_LOAD (orders by wrk, or reserve, or spread: ReserveStock of one SKU or of 1,000), BENCH_SECONDS (default 10),
BENCH_CONNECTIONS (64; calls in flight for ReserveStock: 256), BENCH_FOLDED (a file for folded stacks, for a flame graph)."""

import collections
import os
import pathlib
import threading
import time

import _bench
import _perf
from support import stack, wait

LEAD_IN = 2  # seconds of load before the samples
TOP = 20
CLIENTS = ("wrk", "loadgen")


def load(kind, seconds):
    """A function that loads the fleet for so long and returns what it did a second."""
    if kind == "orders":
        shop, skus = _bench.shop_with(100)

        def orders():
            report = _bench.wrk(shop, skus, int(_bench.number("BENCH_CONNECTIONS", 64)), seconds)
            return report["statuses"].get("201", 0) / report["seconds"]
        return orders
    shop, skus = _bench.shop_with_skus({"reserve": 1, "spread": 1000}[kind], 10_000_000)
    tokens = [shop.token(user=f"buyer-{number}") for number in range(256)]

    def reservations():
        report = _bench.loadgen("reserve", skus, tokens, seconds=seconds, warm_up=0, connections=4,
                                in_flight=int(_bench.number("BENCH_CONNECTIONS", 256)))
        return report["outcomes"].get("OK", {"count": 0})["count"] / report["seconds"]
    return reservations


def names():
    """{pid: what to call it}, of the stack's processes and of PostgreSQL's, which say whom they work for."""
    found = {pid: name for name, pid in stack.pids().items()}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            title = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (OSError, IndexError):
            continue  # ended meanwhile
        if found.get(parent) == "postgres" and title.startswith("postgres: "):
            found[int(entry.name)] = "postgres, " + _role(title)
    return found


def _role(title):
    """ "postgres: bv-bench: bv_order bv 127.0.0.1(5) idle" → "order"."""
    text = title.split(": ", 2)[-1]
    first = text.split()[0]
    if first == "walsender":
        return "walsender"
    return first.removeprefix("bv_") if first.startswith("bv_") else " ".join(text.split()[:2])


def ranking(title, headers, counts, total):
    print(f"{title}\n")
    _bench.table([*headers, "share"], [[*key, f"{count / total:.1%}"] for key, count in counts.most_common(TOP)])


def main():
    seconds = _bench.number("BENCH_SECONDS", 10)
    kind = os.environ.get("BENCH_LOAD", "orders")
    stack.await_ready()
    run = load(kind, LEAD_IN + seconds + 1)
    per_second = []
    worker = threading.Thread(target=lambda: per_second.append(run()))
    worker.start()
    wait.until_time(time.monotonic() + LEAD_IN)
    known = names()
    samples = _perf.record(seconds)
    worker.join()

    def name_of(sample):
        return known.get(sample.pid) or (sample.command if sample.command in CLIENTS else None)

    ours = [sample for sample in samples if name_of(sample)]
    idle = sum(sample.idle for sample in samples)
    others = len(samples) - len(ours) - idle
    print(f"\n{kind}: {per_second[0]:,.0f}/s while watched. Of the processors' time {len(ours) / len(samples):.0%} went to what is shown below "
          f"({len(ours):,} samples), {others / len(samples):.0%} to others on the machine, {idle / len(samples):.0%} was idle.\n")
    count = collections.Counter
    ranking("By process", ["process"], count((name_of(sample),) for sample in ours), len(ours))
    ranking("By kind of work", ["work"], count((sample.kind,) for sample in ours), len(ours))
    ranking("By process and kind of work", ["process", "work"], count((name_of(sample), sample.kind) for sample in ours), len(ours))
    ranking("By function, without what it calls", ["process", "library", "function"],
            count((name_of(sample), *sample.frames[0].split(" ", 1)) for sample in ours if sample.frames), len(ours))
    if os.environ.get("BENCH_FOLDED"):
        pathlib.Path(os.environ["BENCH_FOLDED"]).write_text("\n".join(_perf.folded(ours, name_of)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
