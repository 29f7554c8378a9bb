#!/usr/bin/env python3
"""From commit to a consumer: outbox rows at 100 and 2,000 a second, read back from Kafka by kcat.

Parameters: BENCH_SECONDS (of each rate, default 15)."""

import json
import pathlib
import subprocess
import tempfile
import threading
import time

import _bench
from support import kafka, stack, wait

RATES = (100, 2000)
CLIENTS = 8
AIM_P99_MS = 10


class Consumer:
    """kcat, and the moment at which each key arrived."""

    def __init__(self):
        self._kcat = subprocess.Popen(
            ["kcat", "-C", "-q", "-u", "-E", "-b", stack.env("BV_KAFKA_BROKERS"), "-t", kafka.ORDERS, "-o",
             f"s@{int(kafka.now() * 1000)}", "-f", "%k\t%s\n",
             "-X", "socket.nagle.disable=true", "-X", "fetch.wait.max.ms=10"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.arrived = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._kcat.stdout:
            self.arrived.append((time.time(), line))

    def of_run(self, run):
        """{"client-turn": (arrived, inserted)} of a run."""
        found = {}
        for moment, line in list(self.arrived):
            key, value = line.decode().rstrip("\n").split("\t", 1)
            if key.startswith(f"{run}-"):
                found.setdefault(key[len(f"{run}-"):], (moment, json.loads(value)["insertedAt"]))
        return found

    def close(self):
        self._kcat.kill()
        self._kcat.wait()


def commits(folder):
    """{"client-turn": the moment at which pgbench knew of the commit}."""
    found = {}
    for log in pathlib.Path(folder).glob("pgbench_log.*"):
        for line in log.read_text(encoding="ascii").splitlines():
            client, transaction, _, _, seconds, micros = line.split()[:6]
            found[f"{client}-{transaction}"] = int(seconds) + int(micros) / 1e6
    return found


def measure(consumer, rate, seconds):
    run = int(time.time())
    with tempfile.TemporaryDirectory() as folder:
        _bench.pgbench("relay.sql", CLIENTS, "-T", int(seconds), "-R", rate, "-l", "-D", "turn=0", "-D", f"run={run}", cwd=folder)
        committed = commits(folder)
    wait.until(lambda: len(consumer.of_run(run)) >= len(committed), 60, f"{len(committed)} events on Kafka", every=0.2)
    arrived = consumer.of_run(run)
    since_commit = [max(0.0, (arrived[name][0] - moment) * 1000) for name, moment in committed.items()]
    since_insert = [(moment - inserted) * 1000 for moment, inserted in arrived.values()]
    p99 = _bench.percentile(since_commit, 0.99)
    return [f"{rate:,}", f"{len(committed) / seconds:,.0f}", *(f"{_bench.percentile(since_commit, share):.1f}" for share in (0.5, 0.95, 0.99)),
            f"{max(since_commit):.1f}", *(f"{_bench.percentile(since_insert, share):.1f}" for share in (0.5, 0.99)),
            "yes" if p99 < AIM_P99_MS else "NO"]


def main():
    seconds = _bench.number("BENCH_SECONDS", 15)
    consumer = Consumer()
    try:
        measure(consumer, 100, 3)  # warm
        rows = [measure(consumer, rate, seconds) for rate in RATES]
    finally:
        consumer.close()
    print("\nCommit to visible on Kafka, ms, one event a transaction\n")
    _bench.table(["offered/s", "events/s", "p50", "p95", "p99", "max", "insert p50", "insert p99", f"p99 < {AIM_P99_MS} ms"], rows)
    print("From the moment the writer knew of its commit to the moment a consumer had the message; `insert`: from the INSERT itself, the "
          "wait for the disk included.\n")


if __name__ == "__main__":
    main()
