"""What the benchmarks share: the fleet they find, tables, percentiles, wrk, and pgbench as the baseline of the same run."""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import stack  # noqa: E402
from support.shop import Shop, order_body  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"


def number(name, default):
    """A parameter from the environment."""
    return float(os.environ.get(name, default))


def percentile(values, share):
    """The smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def table(headers, rows):
    cells = [[str(cell) for cell in row] for row in [headers, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    for index, row in enumerate(cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
        if index == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print(flush=True)


def shop_with(products):
    """A new shop with plenty of stock of so many products; returns it and their SKUs."""
    shop = Shop()
    return shop, [shop.product(25.00, stock=100_000_000)["sku"] for _ in range(products)]


def order_text(sku):
    return json.dumps(order_body([(sku, 1)]))


def wrk(shop, skus, connections, seconds):
    """Orders by wrk, one after the other on each connection; a dict of orders_lua's report, latencies in ms."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as bodies:
        bodies.write("\n".join(order_text(sku) for sku in skus))
        bodies.flush()
        done = subprocess.run(
            ["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{int(seconds)}s", "--timeout", "20s",
             "-s", str(HERE / "orders.lua"), f"{stack.env('BV_GATEWAY_URL')}/api/v1/orders", "--", shop.token(lifetime=6 * 3600),
             bodies.name], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout[done.stdout.index("REPORT") + len("REPORT"):])


def pgbench(script, clients, *arguments, cwd=None):
    """Runs a pgbench script as the superuser of the stack; returns its output."""
    url = urllib.parse.urlsplit(stack.env("BV_POSTGRES_URL"))
    done = subprocess.run(
        [PGBENCH, "-n", "-M", "prepared", "-h", url.hostname, "-p", str(url.port), "-U", url.username, "-c", str(clients),
         "-j", str(min(2, clients)), "-f", str(HERE / script), *map(str, arguments), url.path.lstrip("/")],
        capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, "PGPASSWORD": url.password})
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout
