"""A database of a test's own on the stack's server, with the tables of all services, and nobody but the test in it."""

import os
import pathlib
import subprocess
import urllib.parse

from support import stack
from support.postgres import SqlError

SCHEMAS = {"outbox-relay": "outbox", "product": "product", "inventory": "inventory", "order": "orders", "payment-adapter": "payment"}
SOUND_SHOP = pathlib.Path(__file__).with_name("sound_shop.sql")


class Database:
    """`template` is another one of these, of which it is a copy."""

    def __init__(self, name, template=None):
        self.name = name
        if template:
            _psql("postgres", f"CREATE DATABASE {name} TEMPLATE {template.name}")
            return
        _psql("postgres", f"CREATE DATABASE {name}")
        _psql(name, (stack.ROOT / "deploy" / "postgres" / "bootstrap.sql").read_text(encoding="utf-8"))
        for service, schema in SCHEMAS.items():
            for file in sorted((stack.ROOT / "services" / service / "migrations").glob("*.sql")):
                _psql(name, f"SET search_path = {schema};\n{file.read_text(encoding='utf-8')}")

    def execute(self, sql, **variables):
        _psql(self.name, sql, variables)

    def fill(self, orders):
        """With a shop whose books are right."""
        self.execute(SOUND_SHOP.read_text(encoding="utf-8"), count=orders)

    def drop(self):
        _psql("postgres", f"DROP DATABASE {self.name} WITH (FORCE)")


def _psql(database, text, variables=None):
    url = urllib.parse.urlsplit(stack.env("BV_POSTGRES_URL"))
    arguments = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", url.hostname, "-p", str(url.port), "-U", url.username, "-d", database,
                 "-f", "-"]
    for name, value in (variables or {}).items():
        arguments += ["-v", f"{name}={value}"]
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False, timeout=120,
                          env={**os.environ, "PGPASSWORD": url.password})
    if done.returncode:
        raise SqlError(done.stderr.strip())
