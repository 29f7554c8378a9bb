#!/usr/bin/env python3
"""Listeners by the thousand, through the gateway: what an open WebSocket costs in memory; from the commit of an order's event to its customer's socket; a flash sale's
begin to every open stream. Rows are written as the services write them, by pgbench; `listeners` is the client.

Parameters: BENCH_SOCKETS (default 10000), BENCH_SECONDS (of changes, default 20), BENCH_RATE (changes a second, default 500), BENCH_SALES (default 20)."""

import contextlib
import json
import pathlib
import resource
import subprocess
import time
import urllib.parse

import _bench
from support import stack, wait
from support.shop import unique

SERVICES = ("notification", "gateway")
AIM_MB, AIM_P99_MS, AIM_ALL_MS = 300, 50, 200
# What the gateway has open beside tunnels, each of which takes two.
OTHER_FILES = 500
SALES_A_SECOND = 1


class Listeners:
    """Open when this is made; `opened` says how many, `close` what came."""

    def __init__(self, count, *arguments):
        self._client = subprocess.Popen(
            [pathlib.Path(stack.env("BV_BIN_DIR")) / "listeners", f"--address={urllib.parse.urlsplit(stack.env('BV_GATEWAY_URL')).netloc}",
             f"--connections={count}", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = json.loads(self._client.stdout.readline())["opened"]

    def close(self):
        # What was inserted last is still on its way.
        wait.until_time(time.monotonic() + 1)
        with contextlib.suppress(OSError):
            self._client.stdin.close()
        report = json.loads(self._client.stdout.readline())
        self._client.wait()
        self._client.stdout.close()
        return report


def memory():
    pids = stack.pids()
    return {name: stack.resident_mb(pids[name]) for name in SERVICES}


def sockets_that_fit(wanted):
    """Of a gateway with this machine's limit of open files."""
    return min(wanted, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - OTHER_FILES) // 2)


def orders(count, rate, seconds):
    tenant = unique("bench")
    before = memory()
    with _bench.lines([stack.token(tenant=tenant, user=f"user-{number}", lifetime=6 * 3600) for number in range(count)]) as tokens:
        listeners = Listeners(count, f"--tokens={tokens}")
    after = memory()
    _bench.table(("service", "MB before", f"MB with {listeners.opened:,} WebSockets", "KB a socket"),
                 [(name, f"{before[name]:.0f}", f"{after[name]:.0f}", f"{(after[name] - before[name]) * 1024 / max(1, listeners.opened):.1f}")
                  for name in SERVICES])
    print(f"Both: {sum(after.values()):.0f} MB (aim: below {AIM_MB} for 10,000).\n")
    cpu = _bench.CpuMeter()
    _bench.pgbench("order_events.sql", 8, "-T", int(seconds), "-R", int(rate), "-D", f"users={count}", "-D", f"tenant={tenant}")
    cores = cpu.cores()
    report = listeners.close()
    _bench.table(("changes/s", "events", "messages", "p50 ms", "p99 ms", "max ms", "fleet cores", "connections lost"),
                 [(int(rate), report["events"], report["messages"], report["p50_ms"], report["p99_ms"], report["max_ms"], f"{cores:.2f}",
                   report["lost"])])
    print(f"From the insert of an order's event to its customer's socket, one of {listeners.opened:,}; aim: p99 below {AIM_P99_MS} ms.\n")


def sales(count, events):
    tenant = unique("bench")
    before = memory()
    listeners = Listeners(count, f"--path=/sse/flash-sales?tenant={tenant}")
    after = memory()
    _bench.pgbench("sale_events.sql", 1, "-T", int(events / SALES_A_SECOND), "-R", SALES_A_SECOND, "-D", f"tenant={tenant}")
    report = listeners.close()
    _bench.table(("streams", "MB before", "MB open", "events", "messages", "p50 ms", "p99 ms", "to all: median ms", "to all: max ms", "connections lost"),
                 [(f"{listeners.opened:,}", f"{sum(before.values()):.0f}", f"{sum(after.values()):.0f}", report["events"], report["messages"],
                   report["p50_ms"], report["p99_ms"], report["all_p50_ms"], report["all_max_ms"], report["lost"])])
    print(f"From the insert of a sale's begin to every one of the open streams; aim: all within {AIM_ALL_MS} ms.\n")


def main():
    stack.await_ready()
    wanted = int(_bench.number("BENCH_SOCKETS", 10_000))
    count = sockets_that_fit(wanted)
    if count < wanted:
        print(f"Files: this machine lets a process open {resource.getrlimit(resource.RLIMIT_NOFILE)[1]:,}, so the gateway has {count:,} sockets.\n")
    orders(count, _bench.number("BENCH_RATE", 500), _bench.number("BENCH_SECONDS", 20))
    wait.until(lambda: stack.metric("gateway", "http_tunnels") == 0, 60, "the sockets to be closed")
    sales(count, _bench.number("BENCH_SALES", 20))


if __name__ == "__main__":
    main()
