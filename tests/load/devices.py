#!/usr/bin/env python3
"""Reports of devices, from the first one published to the last one in the stock: by one device over one connection, of one SKU; and by several, each of
a SKU of its own. The client is mosquitto_pub. What the broker alone takes is measured on a topic that nobody listens to.

Parameters: BENCH_REPORTS (of each measurement, default 50,000), BENCH_DEVICES (8)."""

import subprocess
import time

import _bench
from support import postgres, stack, wait
from support.shop import unique

AIM_PER_SECOND = 5_000
REPORT = '{"delta": 1, "reason": "SENSOR"}\n'


def add(shop, skus):
    """A device that reports these SKUs: its account and password."""
    name = f"{shop.tenant}/{unique('press')}"
    done = subprocess.run([str(stack.BV), "device", "add", name, "--sku", *skus, "--stack", stack.env("BV_STACK")], stdout=subprocess.PIPE, check=True,
                          text=True)
    return name, done.stdout.strip()


def publisher(account, sku, reports):
    """One connection that publishes the reports, each as soon as the broker lets it: twenty in flight."""
    name, password = account
    host, port = stack.env("BV_MQTT_ADDRESS").rsplit(":", 1)
    client = subprocess.Popen(["mosquitto_pub", "-h", host, "-p", port, "-V", "5", "-q", "1", "-u", name, "-P", password, "-l", "-t",
                               f"iot/inventory/{sku}/delta"], stdin=subprocess.PIPE)
    client.stdin.write(REPORT.encode() * reports)
    client.stdin.close()
    return client


def in_stock(shop):
    (row,) = postgres.rows(f"SELECT coalesce(sum(on_hand), 0)::bigint AS pieces FROM inventory.inventory_stock WHERE tenant_id = '{shop.tenant}'")
    return row["pieces"]


def measure(shop, accounts, reports):
    """A row of the table, and the reports a second into the stock."""
    before, each = in_stock(shop), reports // len(accounts)
    transactions = _transactions()
    meter, begin = _bench.CpuMeter(), time.monotonic()
    clients = [publisher(account, sku, each) for sku, account in accounts.items()]
    for client in clients:
        if client.wait():
            raise RuntimeError("mosquitto_pub failed")
    published = time.monotonic() - begin
    wait.until(lambda: in_stock(shop) == before + each * len(accounts), 300, "every report in the stock", every=0.05)
    stocked = time.monotonic() - begin
    cores = meter.cores()
    count = each * len(accounts)
    per_second = count / stocked
    batches = _transactions() - transactions
    row = [len(accounts), f"{count:,}", f"{count / published:,.0f}", f"{per_second:,.0f}", f"{count / max(batches, 1):,.0f}",
           f"{cores * stocked / count * 1e6:,.0f}", "yes" if per_second >= AIM_PER_SECOND else "NO"]
    return row, per_second


def _transactions():
    return stack.metric("inventory", "lane_batch_size_count", lanes="stock_background") or 0


def main():
    stack.await_ready()
    reports, devices = int(_bench.number("BENCH_REPORTS", 50_000)), int(_bench.number("BENCH_DEVICES", 8))
    shop, skus = _bench.shop_with(devices)
    accounts = {sku: add(shop, [sku]) for sku in skus}
    rows = []
    # The first few, so that no plan and no cache is new.
    measure(shop, accounts, 100 * devices)
    for some in (dict(list(accounts.items())[:1]), accounts):
        rows.append(measure(shop, some, reports)[0])
    print("\nReports of devices over MQTT, one connection each, into the stock\n")
    _bench.table(["devices", "reports", "published per s", "in stock per s", "a transaction", "fleet CPU µs", f"≥ {AIM_PER_SECOND:,}"], rows)


if __name__ == "__main__":
    main()
