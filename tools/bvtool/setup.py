"""The set-up of a clone: everything that building, running and testing needs. What is there is skipped."""

import contextlib

from . import downloads, packages, state
from .console import note
from .layout import BV


@contextlib.contextmanager
def exclusive():
    """Lets one call at a time set up and build this clone."""
    BV.mkdir(exist_ok=True)
    lock = state.Lock(BV / "setup.lock")
    if not lock.take():
        note("another tools/bv sets up or builds this clone; waiting for it")
        lock.take(wait=True)
    try:
        yield
    finally:
        lock.release()


def run(bench=False, cdc=False, browser=False, rules=False):
    packages.install(packages.BROWSER if browser else ())
    downloads.python_tools()
    downloads.kafka_jars()
    downloads.kafka_archive()
    downloads.schema_registry()
    downloads.registry_archive()
    downloads.go_tool("grpcurl")
    downloads.go_tool("opa")
    downloads.webhook_verifiers()
    downloads.api_tools()
    downloads.graphql_packages()
    if cdc:
        downloads.debezium()
    if rules:
        downloads.promtool()
    if bench:
        downloads.go_tool("ghz")
