#!/usr/bin/env python3
"""The gateway: what it adds to a gRPC call, how long the first request after silence takes, how many reads of products a second go through it, and what idle
connections cost in memory.

Parameters: BENCH_SECONDS (of each step, default 10), BENCH_PRODUCTS (100), BENCH_SILENCES (20), BENCH_IDLE (10,000 connections, or what the limit of open files allows)."""

import json
import re
import resource
import socket
import subprocess
import time
import urllib.parse

import _bench
from support import http as rest
from support import stack, wait
from support.shop import Shop

AIM_ADDS_MS, AIM_PER_SECOND, AIM_IDLE_MB = 0.3, 8000, 200
ROUNDS = 3  # of either way, in turn
CONNECTIONS = (8, 64, 256)
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def wrk(paths, tenant, connections, seconds):
    """GET of these paths; answers a second, {50: ms, 75: …, 90: …, 99: …}, and how many were none or not 2xx."""
    with _bench.lines(paths) as file:
        done = subprocess.run(
            ["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{int(seconds)}s", "--latency", "-s",
             str(_bench.HERE / "paths.lua"), stack.env("BV_GATEWAY_URL"), "--", file, tenant], stdout=subprocess.PIPE, text=True, check=True)
    latencies = {int(share): float(value) * UNITS[unit] for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\n", done.stdout)}
    failed = re.findall(r"Non-2xx or 3xx responses: (\d+)|(?:connect|read|write|timeout) (\d+)", done.stdout)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]), latencies, sum(int(number) for pair in failed for number in pair if number)


def ghz(product, tenant, seconds):
    """GetProduct, one call after the other on one connection; {50: ms, …, 99: ms}."""
    done = subprocess.run(
        [str(stack.TOOLS / "ghz"), "--insecure", "--call", "commerce.product.v1.Products/GetProduct", "--metadata",
         json.dumps({"x-tenant-id": tenant}), "--data", json.dumps({"product_id": product}), "--concurrency", "1", "--connections", "1",
         "--duration", f"{int(seconds)}s", "--format", "json", stack.grpc_address("product")], stdout=subprocess.PIPE, text=True, check=True)
    return {entry["percentage"]: entry["latency"] / 1e6 for entry in json.loads(done.stdout)["latencyDistribution"]}


def adds(shop, product, seconds):
    """By turns the same product from the service and through the gateway, by one client that waits for each answer."""
    rows = []
    for _ in range(ROUNDS):
        direct = ghz(product, shop.tenant, seconds)
        _, through, failed = wrk([f"/api/v1/products/{product}"], shop.tenant, 1, seconds)
        rows.append((direct[50], direct[99], through[50], through[99], through[50] - direct[50], failed))
    _bench.table(["GetProduct p50 ms", "p99 ms", "GET p50 ms", "p99 ms", "added p50 ms", "failed"],
                 [[*(f"{value:.3f}" for value in row[:5]), row[5] or "-"] for row in rows])
    added = sorted(row[4] for row in rows)[ROUNDS // 2]
    print(f"Added, median of {ROUNDS}: {added:.3f} ms; aim: at most {AIM_ADDS_MS}: {'yes' if added <= AIM_ADDS_MS else 'NO'}. "
          "The clients differ: ghz is Go's gRPC, wrk is C.\n")


def after_silence(shop, product, rounds):
    """gRPC's own threads sleep now and then when there is nothing to do (libs/rpc/pulse.h): silences of many lengths, to meet that."""
    latencies = []
    client = rest.Client(tenant=shop.tenant)
    for number in range(rounds):
        client.get(f"/api/v1/products/{product}")
        wait.until_time(time.monotonic() + 0.9 + 0.4 * number / rounds)
        begun = time.monotonic()
        shop.must(200, client.get(f"/api/v1/products/{product}"))
        latencies.append((time.monotonic() - begun) * 1000)
    client.close()
    _bench.table(["silences of 0.9 to 1.3 s", "p50 ms", "p90 ms", "max ms"],
                 [[rounds, *(f"{_bench.percentile(latencies, share):.1f}" for share in (0.5, 0.9, 1.0))]])


def reads(shop, products, seconds):
    rows = []
    for connections in CONNECTIONS:
        meter = _bench.CpuMeter()
        per_second, latencies, failed = wrk([f"/api/v1/products/{product}" for product in products], shop.tenant, connections, seconds)
        cores = meter.cores()
        floor, _, _ = wrk(["/api/v1/no-such-route"], shop.tenant, connections, max(2, seconds // 2))
        rows.append([connections, f"{per_second:,.0f}", *(f"{latencies[share]:.1f}" for share in (50, 90, 99)), f"{cores / per_second * 1e6:,.0f}",
                     f"{floor:,.0f}", f"{per_second / floor:.2f}", failed or "-", "yes" if per_second >= AIM_PER_SECOND and not failed else "NO"])
    _bench.table(["connections", "GET/s", "p50 ms", "p90 ms", "p99 ms", "fleet CPU µs", "404 by the gateway alone/s", "ratio", "failed",
                  f"≥ {AIM_PER_SECOND:,}/s"], rows)


def idle(shop, product, wanted):
    """Connections that have had an answer and stay open, at a gateway of their own."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    count = min(wanted, files - 200)
    address = _bench.free_address()
    host, port = address.split(":")
    request = (f"GET /api/v1/products/{product} HTTP/1.1\r\nHost: {address}\r\nX-Tenant-Id: {shop.tenant}\r\n\r\n").encode()
    with _bench.another("gateway", BV_HTTP_ADDRESS=address, BV_HTTP_CONNECTIONS_MAX=str(count + 100), BV_HTTP_IDLE_TIMEOUT="10m") as pid:
        before = stack.resident_mb(pid)
        open_ones = []
        try:
            for _ in range(count):
                connection = socket.create_connection((host, int(port)))
                open_ones.append(connection)
                connection.sendall(request)
                if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"connection {len(open_ones)} was not answered with 200")
            after = stack.resident_mb(pid)
        finally:
            for connection in open_ones:
                connection.close()
    _bench.table(["idle connections", "MB before", "MB", "KB a connection", f"< {AIM_IDLE_MB} MB"],
                 [[f"{count:,}", f"{before:.0f}", f"{after:.0f}", f"{(after - before) * 1024 / count:.1f}", "yes" if after < AIM_IDLE_MB else "NO"]])


def main():
    seconds = _bench.number("BENCH_SECONDS", 10)
    stack.await_ready()
    shop = Shop()
    products = [shop.product(25.00, stock=100)["productId"] for _ in range(int(_bench.number("BENCH_PRODUCTS", 100)))]
    wrk([f"/api/v1/products/{products[0]}"], shop.tenant, 8, 2)  # warm
    print(f"\nReads of products through {urllib.parse.urlsplit(stack.env('BV_GATEWAY_URL')).netloc}, everything on this machine\n")
    adds(shop, products[0], seconds / 2)
    after_silence(shop, products[0], int(_bench.number("BENCH_SILENCES", 20)))
    reads(shop, products, seconds)
    idle(shop, products[0], int(_bench.number("BENCH_IDLE", 10_000)))


if __name__ == "__main__":
    main()
