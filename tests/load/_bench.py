"""What the benchmarks share: shops to load, tables, percentiles; wrk, loadgen and pgbench as clients."""

import concurrent.futures
import contextlib
import json
import math
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import http, postgres, stack, wait  # noqa: E402
from support.shop import Shop, order_body, unique  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
VARIANTS_MAX = 100  # of a product
WRITERS = 16  # connections that put stock in


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


class CpuMeter:
    """What the stack has used of the processors since this was made: its processes, PostgreSQL's backends among them, and `others`, pids.
    Unlike a rate it hardly depends on what else the machine does."""

    def __init__(self, others=()):
        self._pids = {*stack.pids().values(), *others}
        self._before = self._seconds()
        self._begin = time.monotonic()

    def _seconds(self):
        ticks = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # ended meanwhile
            if self._pids & {int(stat.parent.name), int(fields[1])}:  # itself, or its parent
                ticks += int(fields[11]) + int(fields[12])  # user, system
        return ticks / os.sysconf("SC_CLK_TCK")

    def cores(self):
        """How many processors it kept busy, on average."""
        return (self._seconds() - self._before) / (time.monotonic() - self._begin)


def free_address():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


@contextlib.contextmanager
def another(service, **settings):
    """A second process of a service beside the fleet's, of the same build and with its settings but these, its address among them; yields its pid."""
    running = stack.pids()[service]
    variables = dict(entry.split("=", 1) for entry in pathlib.Path(f"/proc/{running}/environ").read_text(encoding="utf-8").split("\0") if entry)
    metrics = free_address()
    variables.update({"BV_GRPC_ADDRESS": free_address(), "BV_METRICS_ADDRESS": metrics, **settings})
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen([os.readlink(f"/proc/{running}/exe")], env=variables, stdout=log, stderr=log)
        try:
            wait.until(lambda: process.poll() is not None or stack.is_ready(f"http://{metrics}/metrics"), 30, f"the second {service}")
            if process.poll() is not None:
                log.seek(0)
                raise RuntimeError(f"the second {service} ended:\n{log.read()}")
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def shop_with(products):
    """A new shop with plenty of stock of so many products; returns it and their SKUs."""
    shop = Shop()
    return shop, [shop.product(25.00, stock=100_000_000)["sku"] for _ in range(products)]


def shop_with_skus(count, stock):
    """A new shop with `stock` of each of so many SKUs, a hundred to a product; returns it and them."""
    shop = Shop()
    skus = [f"SKU-{number}" for number in range(count)]

    def create(variants):
        shop.must(201, shop.staff.post("/api/v1/products", {
            "title": "Many variants", "variants": [{"sku": sku, "price": 25.00, "currency": "USD"} for sku in variants]}))

    def stock_up(some):
        staff = http.Client(shop.staff.token)
        for sku in some:
            shop.must(201, staff.post(f"/api/v1/inventory/{sku}/adjustments", {"delta": stock, "reason": "RECEIVED"},
                                      headers={"Idempotency-Key": unique("stock")}))
        staff.close()

    for first in range(0, count, VARIANTS_MAX):
        create(skus[first:first + VARIANTS_MAX])
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(stock_up, (skus[writer::WRITERS] for writer in range(WRITERS))))
    # What the planner knows of an empty table is wrong now.
    postgres.execute("ANALYZE")
    return shop, skus


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


@contextlib.contextmanager
def lines(texts):
    """The name of a file with these lines."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(texts))
        file.flush()
        yield file.name


def loadgen(mode, skus, tokens, address=None, **flags):
    """ReserveStock by tests/load/loadgen, with its flags; returns its report."""
    with lines(skus) as sku_file, lines(tokens) as token_file:
        done = subprocess.run(
            [pathlib.Path(stack.env("BV_BIN_DIR")) / "loadgen", f"--mode={mode}", f"--address={address or stack.grpc_address('inventory')}",
             f"--skus={sku_file}", f"--tokens={token_file}", *(f"--{name}={value}" for name, value in flags.items())],
            stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


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
