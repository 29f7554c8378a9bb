#!/usr/bin/env python3
"""A million order events, and read models made anew from them while orders go on: seconds, events/s, and the memory of the replay service.

Parameters: BENCH_EVENTS (default 1000000), BENCH_CUSTOMERS (who order meanwhile, default 4)."""

import datetime
import json
import pathlib
import subprocess
import sys
import time

import _bench
from support import postgres, stack, wait
from support.load import Customers
from support.shop import unique

TOPIC = "ecommerce.order.order"
PROJECTIONS = ("orders_by_customer", "daily_revenue")
USERS = 10_000
DAYS = 60  # in which they occurred
EXAMPLES = stack.ROOT / "protos" / "events"
# The events of an order: what happened, and the order's version then.
LIFE = (("created", 1), ("paid", 2))
FOLLOWED_WITHIN = 1800  # seconds
AIM_SECONDS, AIM_MB = 60, 300


def envelope(kind):
    """The example of the contract with places for order, user, event and day."""
    text = (EXAMPLES / f"{TOPIC}.{kind}.v1.example.json").read_text(encoding="utf-8").strip()
    example = json.loads(text)
    return (text.replace(example["occurredAt"], "{day}T08:30:00.000000Z").replace(example["partitionKey"], "{order}").replace(example["eventId"], "{event}")
            .replace(f'"{example["payload"]["userId"]}"', '"{user}"'))


def write_events(tenant, count):
    """So many events of new orders of a tenant, straight to the topic; returns the seconds that it took."""
    run, orders = int(time.time()), count // len(LIFE)
    today = datetime.date.today()
    days = [str(today - datetime.timedelta(days=number)) for number in range(DAYS)]
    begin = time.monotonic()
    for kind, version in LIFE:
        template, digits = envelope(kind), len(str(orders))
        with subprocess.Popen(["kcat", "-P", "-b", stack.env("BV_KAFKA_BROKERS"), "-t", TOPIC, "-K", "\t", "-H", f"tenantId={tenant}",
                               "-H", f"aggregateVersion={version}", "-H", f"ce_type={TOPIC}.{kind}.v1", "-z", "lz4",
                               "-X", "topic.partitioner=murmur2_random", "-X", "linger.ms=20", "-X", "acks=all",
                               "-X", "queue.buffering.max.messages=1000000"], stdin=subprocess.PIPE, text=True) as kcat:
            for number in range(orders):
                order = f"ord_{run}{number:0{digits}}"
                line = template.replace("{order}", order).replace("{user}", f"user-{number % USERS}").replace("{day}", days[number % DAYS]).replace(
                    "{event}", f"{run:08x}-{version:04x}-7000-8000-{number:012x}")
                kcat.stdin.write(f"{order}\t{line}\n")
        if kcat.returncode:
            raise RuntimeError(f"kcat ended with {kcat.returncode}")
    return time.monotonic() - begin


def behind():
    """How many messages the live rows of the slowest of the projections have not taken yet."""
    done = subprocess.run(["kcat", "-Q", "-b", stack.env("BV_KAFKA_BROKERS"), *(argument for partition in range(partitions())
                                                                              for argument in ("-t", f"{TOPIC}:{partition}:-1"))],
                          capture_output=True, text=True, check=True)
    end = sum(int(line.rpartition("offset ")[2]) for line in done.stdout.splitlines() if "offset " in line)
    taken = postgres.value(f"""
        SELECT min(taken) FROM (SELECT coalesce(sum(p.next_offset), 0) AS taken FROM analytics.projection l
          LEFT JOIN analytics.projection_position p ON p.name = l.name AND p.rows_version = l.live_version AND p.topic = '{TOPIC}'
          WHERE l.name IN {PROJECTIONS} GROUP BY l.name) t""")
    return end - int(taken)


def partitions():
    done = subprocess.run(["kcat", "-L", "-J", "-b", stack.env("BV_KAFKA_BROKERS"), "-t", TOPIC], capture_output=True, check=True)
    return len(json.loads(done.stdout)["topics"][0]["partitions"])


def peak_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def rebuild(projection, shop, skus, customers):
    """A row of the table."""
    pid = stack.pids()["replay"]
    # The peak from now on.
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    with Customers(shop, skus, customers) as load:
        load.await_placed(10)
        begin, placed = time.monotonic(), len(load.placed())
        done = subprocess.run([sys.executable, "-B", str(stack.BV), "replay", projection, "--stack", stack.env("BV_STACK"), "--json"],
                              stdout=subprocess.PIPE, text=True, check=False)
        seconds, placed = time.monotonic() - begin, len(load.placed()) - placed
    replay = json.loads(done.stdout)
    equal = replay["state"] == "DONE" and replay["parity"]["buckets_different"] == 0
    messages, memory = int(replay["messages_applied"]), peak_mb(pid)
    return [projection, f"{messages:,}", f"{seconds:.1f}", f"{messages / seconds:,.0f}", f"{int(replay['parity']['rows_live']):,}",
            "equal" if equal else f"NO: {replay['state']}", f"{memory:.0f}", f"{placed / seconds:,.0f}",
            "yes" if equal and seconds < AIM_SECONDS and memory < AIM_MB else "NO"]


def main():
    events = int(_bench.number("BENCH_EVENTS", 1_000_000))
    customers = int(_bench.number("BENCH_CUSTOMERS", 4))
    shop, skus = _bench.shop_with(10)
    written = write_events(unique("replay"), events)
    begin = time.monotonic()
    wait.until(lambda: behind() < 1_000, FOLLOWED_WITHIN, "the live rows have followed", every=1.0)
    followed = time.monotonic() - begin
    rows = [rebuild(projection, shop, skus, customers) for projection in PROJECTIONS]
    print(f"\nRead models made anew from {events:,} order events while {customers} customers order without pause\n")
    _bench.table(["projection", "events", "seconds", "events/s", "rows", "parity", "peak MB", "orders/s meanwhile",
                  f"< {AIM_SECONDS} s, < {AIM_MB} MB, equal"], rows)
    print(f"Seconds from the command to its end, comparison and switch included. The events were written in {written:.0f} s; the live rows of all "
          f"projections followed within {followed:.0f} s more.\n")


if __name__ == "__main__":
    main()
