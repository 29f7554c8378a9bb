#!/usr/bin/env python3
"""Resident memory of each service: idle, and under orders from 64 connections; and what it uses of the processors when idle.

Parameters: BENCH_MINUTES (of load, default 0.5; the aim is flat memory over 2,000,000 orders, or what fits into 10), BENCH_IDLE_SECONDS (default 30)."""

import threading
import time

import _bench
from support import stack, wait

CONNECTIONS = 64
AIM_IDLE_MB, AIM_LOAD_MB = 40, 150


class Sampler:
    """Looks at the memory of each service once a second."""

    def __init__(self, pids):
        self._pids = pids
        self._stop = threading.Event()
        self.samples = {name: [] for name in pids}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            for name, pid in self._pids.items():
                self.samples[name].append(stack.resident_mb(pid))
            wait.until_time(time.monotonic() + 1)

    def stop(self):
        self._stop.set()
        self._thread.join()


def idle_percent(pids, seconds):
    """{name: percent of one processor} while nobody asks for anything."""
    before = {name: stack.cpu_seconds(pid) for name, pid in pids.items()}
    wait.until_time(time.monotonic() + seconds)
    return {name: (stack.cpu_seconds(pid) - before[name]) / seconds * 100 for name, pid in pids.items()}


def mean(values):
    return sum(values) / len(values)


def main():
    minutes = _bench.number("BENCH_MINUTES", 0.5)
    stack.await_ready()
    pids = {name: row["pid"] for name, row in stack.processes().items() if name in stack.SERVICES}
    idle_cpu = idle_percent(pids, _bench.number("BENCH_IDLE_SECONDS", 30))
    idle = {name: stack.resident_mb(pid) for name, pid in pids.items()}
    shop, skus = _bench.shop_with(100)
    sampler = Sampler(pids)
    report = _bench.wrk(shop, skus, CONNECTIONS, max(5, int(minutes * 60)))
    sampler.stop()
    placed = report["statuses"].get("201", 0)
    other = {status: count for status, count in report["statuses"].items() if status != "201"}
    print(f"\nResident memory, MB: idle (and percent of one processor then), then {minutes:g} minutes from {CONNECTIONS} connections: {placed:,} orders placed "
          f"({placed / report['seconds']:,.0f}/s); not 201: {other or report['lost'] or 'none'}\n")
    rows = []
    for name, samples in sampler.samples.items():
        # "Flat" compares the second quarter with the last: the first one is the warm-up.
        quarter = max(1, len(samples) // 4)
        grown = mean(samples[-quarter:]) - mean(samples[quarter:2 * quarter])
        rows.append([name, f"{idle_cpu[name]:.1f} %", f"{idle[name]:.1f}", f"{mean(samples[quarter:2 * quarter]):.1f}", f"{mean(samples[-quarter:]):.1f}",
                     f"{max(samples):.1f}", f"{grown:+.1f}", f"{grown / max(1, placed / 2) * 1e6:+.1f}",
                     "yes" if idle[name] < AIM_IDLE_MB and max(samples) < AIM_LOAD_MB else "NO"])
    _bench.table(["service", "idle CPU", "idle", "early", "late", "max", "growth", "per million orders", f"< {AIM_IDLE_MB}, < {AIM_LOAD_MB}"], rows)


if __name__ == "__main__":
    main()
