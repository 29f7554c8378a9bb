"""Queries of the test stack's database by psql."""

import contextlib
import json
import os
import subprocess
import urllib.parse

from support import stack


class SqlError(Exception):
    """What psql said."""


def _psql(role=None):
    """psql's arguments and environment, as the superuser or a service's role."""
    url = urllib.parse.urlsplit(stack.env("BV_POSTGRES_URL"))
    user, password = (f"bv_{role}", stack.password(role)) if role else (url.username, url.password)
    return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", url.hostname, "-p", str(url.port), "-U", user,
            "-d", url.path.lstrip("/")], {**os.environ, "PGPASSWORD": password}


def execute(sql, role=None, stdin=None):
    """Runs `sql` as the superuser, or logged in as the role of a service ("order"); returns psql's output."""
    arguments, environment = _psql(role)
    done = subprocess.run([*arguments, "-c", sql], input=stdin, capture_output=True, text=True, check=False, timeout=120,
                          env=environment)
    if done.returncode:
        raise SqlError(done.stderr.strip())
    return done.stdout.strip()


def rows(sql, role=None):
    """A list of dicts."""
    return json.loads(execute(f"SELECT coalesce(json_agg(r), '[]') FROM ({sql}) r", role))


def value(sql, role=None):
    (row,) = rows(sql, role)
    (only,) = row.values()
    return only


@contextlib.contextmanager
def locked(select):
    """Meanwhile the rows of this `SELECT … FOR UPDATE` are locked, and whoever wants to change them waits."""
    arguments, environment = _psql()
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as psql:
        psql.stdin.write(f"BEGIN;\n{select};\n\\echo locked\n")
        psql.stdin.flush()
        while psql.stdout.readline().strip() != "locked":
            if psql.poll() is not None:
                raise SqlError(f"psql ended with {psql.returncode}")
        try:
            yield
        finally:
            psql.stdin.close()  # the end of the session rolls back


def waiting_for_lock(role):
    """How many sessions of a service's role wait for a lock."""
    return value(f"SELECT count(*) FROM pg_stat_activity WHERE usename = 'bv_{role}' AND wait_event_type = 'Lock'")


def quote(text):
    return "'" + text.replace("'", "''") + "'"


# Every table of the services that keeps something of a tenant; found, so that a new one is counted too.
TABLES = """
    SELECT n.nspname || '.' || c.relname AS name, r.rolname AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
    WHERE n.nspname IN ('product', 'cart', 'orders', 'inventory', 'payment', 'analytics', 'replay', 'webhook', 'mail', 'identity', 'audit', 'outbox') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
    ORDER BY 1"""


def row_counts(tenant=None, read_models=True):
    """{table: its rows}, of one tenant or of all; read models follow the services by themselves."""
    where = f" WHERE tenant_id = {quote(tenant)}" if tenant else ""
    tables = [row["name"] for row in rows(TABLES) if read_models or not row["name"].startswith(("analytics.", "audit."))]
    union = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS count FROM {name}{where}" for name in tables)
    return {row["name"]: row["count"] for row in rows(union)}
