#!/usr/bin/env python3
"""From commit to a consumer: outbox rows at 100 and 2,000 a second, and 100 beside orders from 64 connections, read back from Kafka by kcat; and how fast a backlog goes. The relay and
Debezium take turns at the same rows: while one is measured the other stands still.

Parameters: BENCH_SECONDS (of each rate, default 15), BENCH_WARM_UP (seconds, default 30), BENCH_BACKLOG (events, default 200000), BENCH_DEBEZIUM (default 1; 0: the relay alone)."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

import _bench
from support import connect, postgres, stack, wait
from support.shop import unique

RATES = (100, 2000)
CLIENTS = 8
PARTITIONS = 12
BACKLOG_PER_COMMIT = 50
AIM_P99_MS, AIM_P99_BESIDE_ORDERS_MS = 10, 50
CONNECTIONS = 64  # of the orders


class Relay:
    name = "outbox-relay"
    prefix = ""

    @contextlib.contextmanager
    def stopped(self):
        pid = stack.send_signal("outbox-relay", signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


class Debezium:
    name = "Debezium, poll.interval.ms=10"
    prefix = connect.PREFIX

    def __init__(self, connector):
        self._connector = connector

    def stopped(self):
        return connect.stopped(*self._connector)


class Consumer:
    """kcat, and the moment at which each key arrived."""

    def __init__(self, topic):
        self._kcat = subprocess.Popen(
            ["kcat", "-C", "-q", "-u", "-E", "-b", stack.env("BV_KAFKA_BROKERS"), "-t", topic, "-o", "end", "-f", "%k\t%s\n",
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


def write(topic, rate, seconds):
    """Events at a rate; returns the run's number and its commits."""
    run = time.time_ns() // 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        _bench.pgbench("relay.sql", CLIENTS, "-T", int(seconds), "-R", rate, "-l", "-D", "turn=0", "-D", f"run={run}", "-D", f"topic={topic}",
                       cwd=folder)
        return run, commits(folder)


def latency(publisher, topic, rate, seconds, aim=AIM_P99_MS):
    consumer = Consumer(publisher.prefix + topic)
    try:
        # Also proves that the consumer has begun.
        wait.until(lambda: consumer.of_run(write(topic, 100, 1)[0]), 60, "the first events", every=0.2)
        run, committed = write(topic, rate, seconds)
        wait.until(lambda: len(consumer.of_run(run)) >= len(committed), 60, f"{len(committed)} events on Kafka", every=0.2)
        arrived = consumer.of_run(run)
    finally:
        consumer.close()
    since_commit = [max(0.0, (arrived[name][0] - moment) * 1000) for name, moment in committed.items()]
    since_insert = [(moment - inserted) * 1000 for moment, inserted in arrived.values()]
    p99 = _bench.percentile(since_commit, 0.99)
    return [publisher.name, f"{rate:,}", f"{len(committed) / seconds:,.0f}",
            *(f"{_bench.percentile(since_commit, share):.1f}" for share in (0.5, 0.95, 0.99)),
            f"{max(since_commit):.1f}", *(f"{_bench.percentile(since_insert, share):.1f}" for share in (0.5, 0.99)),
            f"{'yes' if p99 < aim else 'NO'} ({aim})"]


def latency_under_orders(topic, seconds):
    """Of the relay, beside orders from so many connections."""
    shop, skus = _bench.shop_with(100)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # From before the first event to behind the last.
        orders = pool.submit(_bench.wrk, shop, skus, CONNECTIONS, seconds + 10)
        name, _, *figures = latency(Relay(), topic, min(RATES), seconds, AIM_P99_BESIDE_ORDERS_MS)
        placed = orders.result()
    return [name, f"{min(RATES)} beside {placed['statuses'].get('201', 0) / placed['seconds']:,.0f} orders/s", *figures]


def records_in(topic):
    """How many records a topic has; 0 while there is none."""
    wanted = [argument for partition in range(PARTITIONS) for argument in ("-t", f"{topic}:{partition}:-1")]
    done = subprocess.run(["kcat", "-Q", "-b", stack.env("BV_KAFKA_BROKERS"), *wanted], capture_output=True, text=True, check=False)
    return sum(int(line.rpartition("offset ")[2]) for line in done.stdout.splitlines() if "offset " in line)


def backlog(publishers, topic, events):
    """Commits the events while nobody publishes, then lets one after the other go: {name: events/s}."""
    committed = postgres.value(f"SELECT count(*) FROM outbox.event WHERE aggregatetype = '{topic}'")
    for publisher in publishers:
        wait.until(lambda: records_in(publisher.prefix + topic) >= committed, 60, f"{publisher.name} to be done with the rest", every=0.2)
    before = {publisher.name: records_in(publisher.prefix + topic) for publisher in publishers}
    rates = {}
    with contextlib.ExitStack() as others:
        waiting = []
        for publisher in publishers:
            waiting.append((publisher, others.enter_context(contextlib.ExitStack())))
            waiting[-1][1].enter_context(publisher.stopped())
        for _ in range(int(events) // BACKLOG_PER_COMMIT // 100):
            postgres.execute(f"""
                DO $$ BEGIN FOR turn IN 1 .. 100 LOOP
                  INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)
                  SELECT 'bench', gen_random_uuid(), '{topic}', 'key-' || number, '{topic}.happened.v1',
                         '{{"filler":"' || repeat('x', 400) || '"}}', 1 FROM generate_series(1, {BACKLOG_PER_COMMIT}) AS number;
                  COMMIT;
                END LOOP; END $$""")
        for publisher, stop in waiting:
            stop.close()
            rates[publisher.name] = drain_rate(publisher.prefix + topic, before[publisher.name], int(events))
    return rates


def drain_rate(topic, before, events):
    """Events a second, from the first look that finds some to the one that finds all."""
    def progress():
        return time.monotonic(), records_in(topic) - before
    begun, first = wait.until(lambda: (lambda now: now if now[1] else None)(progress()), 60, "the first event", every=0.02)
    ended, last = wait.until(lambda: (lambda now: now if now[1] >= events else None)(progress()), 300, "the whole backlog", every=0.1)
    return (last - first) / (ended - begun)


def main():
    seconds = _bench.number("BENCH_SECONDS", 15)
    events = _bench.number("BENCH_BACKLOG", 200_000) // (100 * BACKLOG_PER_COMMIT) * (100 * BACKLOG_PER_COMMIT)
    topic = unique("bench.relay")
    with contextlib.ExitStack() as resources:
        publishers = [Relay()]
        if _bench.number("BENCH_DEBEZIUM", 1):
            resources.enter_context(connect.worker())
            publishers.append(Debezium(resources.enter_context(connect.connector("outbox", also="elsewhere", **connect.ELSEWHERE))))
        for publisher in publishers:
            connect.make_topic(publisher.prefix + topic, PARTITIONS)
        # Debezium's compilers have done their work before anything is measured.
        write(topic, max(RATES), _bench.number("BENCH_WARM_UP", 30))
        rows = []
        for rate in RATES:
            for publisher in publishers:
                with contextlib.ExitStack() as others:
                    for other in publishers:
                        if other is not publisher:
                            others.enter_context(other.stopped())
                    rows.append(latency(publisher, topic, rate, seconds))
        with contextlib.ExitStack() as others:
            for other in publishers[1:]:
                others.enter_context(other.stopped())
            rows.append(latency_under_orders(topic, seconds))
        rates = backlog(publishers, topic, events)
    print("\nCommit to visible on Kafka, ms, one event a transaction\n")
    _bench.table(["publisher", "offered/s", "events/s", "p50", "p95", "p99", "max", "insert p50", "insert p99", "p99 < aim"], rows)
    print("From the moment the writer knew of its commit to the moment a consumer had the message; `insert`: from the INSERT itself, the "
          "wait for the disk included.\n")
    print(f"A backlog of {int(events):,} events, {BACKLOG_PER_COMMIT} a commit\n")
    _bench.table(["publisher", "events/s"], [[name, f"{rate:,.0f}"] for name, rate in rates.items()])


if __name__ == "__main__":
    main()
