#!/usr/bin/env python3
"""SQL statements that an order costs, as PostgreSQL itself counts them: alone on one connection, and under 64.

BEGIN, COMMIT and SET count as well. What the services execute without any order, and the relay, are shown apart.
Parameters: BENCH_SECONDS (of each measurement, default 10)."""

import contextlib
import time

import _bench
from support import postgres, stack, wait

AIM_ALONE, AIM_LOADED = 8, 1
LOADED = 64
STATEMENT_WIDTH = 90
SERVICES = ("bv_product", "bv_inventory", "bv_order", "bv_cart", "bv_payment")


@contextlib.contextmanager
def counting():
    """The stack's PostgreSQL counts what it executes; see SETTINGS of tools/bvtool/postgres.py."""
    postgres.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    _track("top")
    try:
        yield
    finally:
        _track("none")
        postgres.execute("DROP EXTENSION pg_stat_statements")


def _track(what):
    postgres.execute(f"ALTER SYSTEM SET pg_stat_statements.track = '{what}'")
    postgres.execute("SELECT pg_reload_conf()")


def executed(work):
    """While `work` runs {(role, statement): calls} and {(role, statement): ms of a call}, and the seconds that it ran."""
    postgres.execute("SELECT pg_stat_statements_reset()")
    begin = time.monotonic()
    work()
    seconds = time.monotonic() - begin
    rows = postgres.rows("SELECT r.rolname AS role, regexp_replace(s.query, '\\s+', ' ', 'g') AS query, sum(s.calls)::bigint AS calls, "
                         "sum(s.total_exec_time) / sum(s.calls) AS ms FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid "
                         "WHERE r.rolname LIKE 'bv\\_%' GROUP BY 1, 2")
    calls, ms = ({(row["role"], row["query"].strip()): row[column] for row in rows} for column in ("calls", "ms"))
    return calls, ms, seconds


def orders_of(shop):
    return postgres.value(f"SELECT count(*) FROM orders.orders WHERE tenant_id = {postgres.quote(shop.tenant)}")


def an_order(shop, skus, connections, seconds, idle):
    """Under load from so many connections: {(role, statement): calls an order}, less what `idle` executes a second, {…: ms of a call}, and
    the orders."""
    _bench.wrk(shop, skus, connections, 2)  # sessions prepare their statements once
    before = orders_of(shop)
    calls, ms, lasted = executed(lambda: _bench.wrk(shop, skus, connections, seconds))
    placed = orders_of(shop) - before
    return {key: max(0.0, count - idle.get(key, 0) * lasted) / placed for key, count in calls.items()}, ms, placed


def sums(calls):
    return {role: sum(count for (of_role, _), count in calls.items() if of_role == role) for role, _ in calls}


def main():
    seconds = _bench.number("BENCH_SECONDS", 10)
    stack.await_ready()
    shop, skus = _bench.shop_with(100)
    with counting():
        calls, _, lasted = executed(lambda: wait.until_time(time.monotonic() + seconds))
        idle = {key: count / lasted for key, count in calls.items()}
        alone, alone_ms, few = an_order(shop, skus, 1, seconds, idle)
        loaded, loaded_ms, many = an_order(shop, skus, LOADED, seconds, idle)

    print(f"\nSQL statements an order: {few:,} orders from 1 connection, {many:,} from {LOADED}\n")
    by_role = [sums(idle), sums(alone), sums(loaded)]
    rows = [[role.removeprefix("bv_"), *(f"{of.get(role, 0):.2f}" for of in by_role)] for role in sorted(set().union(*by_role))]
    total = [sum(count for role, count in of.items() if role in SERVICES) for of in by_role]
    rows.append(["services", *(f"{count:.2f}" for count in total)])
    _bench.table(["role", "idle, a second", "alone, an order", f"from {LOADED}, an order"], rows)
    # A price that is read again now and then is a hundredth of a statement.
    print(f"≤ {AIM_ALONE} alone: {'yes' if round(total[1], 1) <= AIM_ALONE else 'NO'}; < {AIM_LOADED} from {LOADED}: "
          f"{'yes' if total[2] < AIM_LOADED else 'NO'}. What is executed when idle is not in the other columns; the relay is not in the sum.\n")
    keys = sorted({*alone, *loaded}, key=lambda key: (alone.get(key, 0), loaded.get(key, 0)), reverse=True)
    _bench.table(["role", "statement", "alone", "ms each", f"from {LOADED}", "ms each"],
                 [[key[0].removeprefix("bv_"), key[1][:STATEMENT_WIDTH], f"{alone.get(key, 0):.2f}", f"{alone_ms.get(key, 0):.2f}",
                   f"{loaded.get(key, 0):.3f}", f"{loaded_ms.get(key, 0):.2f}"]
                  for key in keys if alone.get(key, 0) >= 0.01 or loaded.get(key, 0) >= 0.001])


if __name__ == "__main__":
    main()
