#!/usr/bin/env python3
"""Webhooks from the commit of an event to the subscriber's server: the latency of the first attempt, how many a second, when a failed one comes again, and what one
tenant's backlog or dead server costs another.

Parameters: BENCH_SECONDS (of each step, default 15), BENCH_RATE (events/s whose latency is measured, default 100), BENCH_EVENTS (of the sustained rate, default 60000),
BENCH_BACKLOG (deliveries that a neighbour has waiting, default 100000), BENCH_DEAD (of them at a dead server, default 10000)."""

import contextlib
import subprocess
import tempfile
import threading
import time
import urllib.request

import _bench
from relay import commits
from support import http, kafka, stack, wait
from support.shop import Shop, unique

TYPE = "ecommerce.payment.payment.failed.v1"
WRITERS = 8
HOOKS = 20  # of the sustained rate
PER_COMMIT = 50
AIM_RATE, AIM_P99_MS, AIM_RETRY_S, AIM_COST = 2000, 100, 1.0, 0.05
# Fewer failures than open the breaker, and the first two delays of webhook-dispatcher.yaml.
FAILING, DELAYS = 5, (30, 120)


class Receiver:
    """tests/load/receiver, and what has come to it."""

    def __init__(self):
        self._process = subprocess.Popen([f"{stack.env('BV_BIN_DIR')}/hook_receiver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._arrivals = {}
        self._lock = threading.Lock()

    def url(self, kind, name):
        return f"{self._url}/{kind}/{name}"

    def arrivals(self, name):
        """[(key, seconds since 1970)] of a hook so far."""
        with self._lock:
            with self._direct.open(f"{self._url}/arrivals") as lines:
                for line in lines:
                    hook, micros, key = line.decode().rstrip("\n").split(" ", 2)
                    self._arrivals.setdefault(hook, []).append((key, int(micros) / 1e6))
            return list(self._arrivals.get(name, ()))

    def close(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Subscriber:
    """A tenant with hooks of a kind at the receiver."""

    def __init__(self, receiver, kind="ok", hooks=1):
        self.receiver = receiver
        self.shop = Shop()
        self.names = [unique("hook") for _ in range(hooks)]
        client = http.Client(self.shop.token("ADMIN"))
        self.subscriptions = [self.shop.must(201, client.post("/api/v1/webhooks/subscriptions", {
            "url": receiver.url(kind, name), "eventTypes": [TYPE]}))["subscriptionId"] for name in self.names]
        self.client = client

    def first_arrivals(self, run):
        """{key: when it came first} of a run."""
        found = {}
        for name in self.names:
            for key, moment in self.receiver.arrivals(name):
                if key.startswith(f"{run}-"):
                    found.setdefault(key, moment)
        return found

    def count(self):
        return sum(len(self.receiver.arrivals(name)) for name in self.names)

    def backlog(self, events):
        """Commits about so many events as fast as it goes; returns how many."""
        _, committed = write(self.shop.tenant, "-t", max(1, round(events / PER_COMMIT / WRITERS)), events=PER_COMMIT)
        return len(committed) * PER_COMMIT


def write(tenant, *how, events=1):
    """Transactions of so many events, at a rate or as many as there are to be; returns the run's number and {key of the first event: when
    pgbench knew of the commit}."""
    run = time.time_ns() // 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        _bench.pgbench("webhooks.sql", WRITERS, *how, "-l", "-D", "turn=0", "-D", f"run={run}", "-D", f"tenant={tenant}", "-D", f"events={events}",
                       cwd=folder)
        return run, {f"{run}-{name}-1": moment for name, moment in commits(folder).items()}


def latencies(subscriber, rate, seconds):
    """Milliseconds from each commit to the arrival of its first attempt."""
    run, committed = write(subscriber.shop.tenant, "-T", int(seconds), "-R", rate)
    arrived = wait.until(lambda: (lambda found: found if len(found) >= len(committed) else None)(subscriber.first_arrivals(run)), 120,
                         f"{len(committed)} deliveries", every=0.2)
    return [max(0.0, (arrived[key] - moment) * 1000) for key, moment in committed.items()]


def kafka_latencies(tenant, rate, seconds):
    """The baseline: the same events at a stock consumer of the topic."""
    with kafka.Tail("ecommerce.payment.payment", kafka.now()) as tail:
        arrived = {}
        done = threading.Event()

        def watch():
            seen = 0
            while not done.is_set():
                messages = tail.messages()
                for message in messages[seen:]:
                    arrived.setdefault(message.key, time.time())
                seen = len(messages)
                done.wait(0.001)
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            _, committed = write(tenant, "-T", int(seconds), "-R", rate)
            wait.until(lambda: committed.keys() <= arrived.keys(), 60, "the events on Kafka", every=0.2)
        finally:
            done.set()
            watcher.join()
    return [max(0.0, (arrived[key] - moment) * 1000) for key, moment in committed.items()]


def row(name, values):
    return [name, len(values), *(f"{_bench.percentile(values, share):.1f}" for share in (0.5, 0.95, 0.99)), f"{max(values):.1f}"]


def sustained(receiver, deliveries):
    """Deliveries a second of a burst of events, behind its first tenth, and milliseconds of processors for each."""
    subscriber = Subscriber(receiver, hooks=HOOKS)
    meter, begin = _bench.CpuMeter(), time.monotonic()
    wanted = subscriber.backlog(deliveries / HOOKS) * HOOKS
    wait.until(lambda: subscriber.count() >= wanted, 300, f"{wanted} deliveries", every=0.5)
    cores, took = meter.cores(), time.monotonic() - begin
    moments = sorted(moment for name in subscriber.names for _, moment in receiver.arrivals(name))
    rest = moments[len(moments) // 10:wanted]
    return len(rest) / (rest[-1] - rest[0]), cores * took / wanted * 1000


def wrk_rate(receiver, seconds):
    """The baseline: requests a second of the receiver itself, by wrk, unsigned and from nowhere."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write('wrk.method = "POST"\nwrk.body = string.rep("x", 500)\n')
        script.flush()
        done = subprocess.run(["wrk", "-t", "1", "-c", "64", "-d", f"{int(seconds)}s", "-s", script.name, receiver.url("ok", "wrk")],
                              stdout=subprocess.PIPE, text=True, check=True)
    receiver.arrivals("wrk")
    return float(next(line for line in done.stdout.splitlines() if line.startswith("Requests/sec")).split()[1])


def retry_errors(subscriber, delay):
    """Seconds between when the second attempt was due and when it came, of every hook."""
    def second_attempts():
        found = [subscriber.receiver.arrivals(name) for name in subscriber.names]
        return found if all(len(each) >= 2 for each in found) else None
    found = wait.until(second_attempts, delay + 30, "the second attempts", every=0.5)
    return [each[1][1] - each[0][1] - delay for each in found]


def beside(subscriber, rate, seconds, neighbour, deliveries):
    """The subscriber's latencies while a neighbour's deliveries, which have all waited, go out; and how many of them were left at the end."""
    subscription = f"/api/v1/webhooks/subscriptions/{neighbour.subscriptions[0]}"
    neighbour.shop.must(200, neighbour.client.post(f"{subscription}/pause", {}))
    made = stack.metric("webhook-dispatcher", "webhook_deliveries_made_total") or 0
    wanted = neighbour.backlog(deliveries)
    wait.until(lambda: stack.metric("webhook-dispatcher", "webhook_deliveries_made_total") >= made + wanted, 300, f"{wanted} deliveries in the table",
               every=0.5)
    neighbour.shop.must(200, neighbour.client.post(f"{subscription}/resume", {}))
    wait.until(neighbour.count, 60, "the neighbour's first attempts", every=0.1)
    values = latencies(subscriber, rate, seconds)
    return values, wanted - neighbour.count()


def main():
    seconds, rate = _bench.number("BENCH_SECONDS", 15), _bench.number("BENCH_RATE", 100)
    with contextlib.closing(Receiver()) as receiver:
        subscriber = Subscriber(receiver)
        failing = [Subscriber(receiver, "busy") for _ in range(FAILING)]
        for each in failing:
            each.client.post(f"/api/v1/webhooks/subscriptions/{each.subscriptions[0]}/test", {})
        latencies(subscriber, rate, 3)  # warms up
        alone = latencies(subscriber, rate, seconds)
        errors = [error for each in failing for error in retry_errors(each, DELAYS[0])]
        rows = [row(f"to Kafka, {rate:.0f}/s (baseline)", kafka_latencies(unique("nobody"), rate, seconds)),
                row(f"first attempt, {rate:.0f}/s", alone)]
        baseline = wrk_rate(receiver, 5)
        sustained_rate, milliseconds = sustained(receiver, _bench.number("BENCH_EVENTS", 60_000))
        quiet = latencies(subscriber, rate, seconds)
        costs = [row("alone", quiet)]
        for name, kind, deliveries in (("beside a backlog", "ok", _bench.number("BENCH_BACKLOG", 100_000)),
                                       ("beside a dead server", "dead", _bench.number("BENCH_DEAD", 10_000))):
            values, left = beside(subscriber, rate, seconds, Subscriber(receiver, kind), deliveries)
            costs.append(row(f"{name}, {int(deliveries):,}, of which {left:,} left", values))
    print("\nFrom commit to arrival, ms\n")
    _bench.table(["", "events", "p50", "p95", "p99", "max"], rows)
    print(f"first attempt p99 < {AIM_P99_MS} ms: {'yes' if _bench.percentile(alone, 0.99) < AIM_P99_MS else 'NO'}\n")
    print(f"Sustained: {sustained_rate:,.0f} signed deliveries/s to {HOOKS} subscriptions, {milliseconds:.2f} ms of processors each (the receiver alone, by wrk: "
          f"{baseline:,.0f}/s); aim {AIM_RATE:,}: {'yes' if sustained_rate >= AIM_RATE else 'NO'}\n")
    print(f"Second attempts, due after {DELAYS[0]} s, came {min(errors):+.2f} to {max(errors):+.2f} s from then; aim ±{AIM_RETRY_S:g}: "
          f"{'yes' if max(map(abs, errors)) <= AIM_RETRY_S else 'NO'}\n")
    print("Another tenant's first attempts, ms from the commit\n")
    _bench.table(["", "events", "p50", "p95", "p99", "max"], costs)


if __name__ == "__main__":
    main()
