"""Kafka Connect with Debezium, beside the fleet of the stack: started for a suite or a benchmark, and gone with it."""

import contextlib
import signal
import subprocess
import sys

from support import postgres, stack, wait
from support.shop import unique

sys.path.insert(0, str(stack.ROOT / "tools"))

from bvtool import connect, kafka  # noqa: E402
from bvtool.layout import Stack  # noqa: E402


def _stack():
    return Stack(stack.env("BV_STACK"))


# What the outbox's connector writes goes to topics of other names, so that the fleet's consumers see each event once.
PREFIX = "debezium."
ELSEWHERE = {"transforms__elsewhere__type": "org.apache.kafka.connect.transforms.RegexRouter",
             "transforms__elsewhere__regex": "(.*)", "transforms__elsewhere__replacement": PREFIX + "$1",
             "topic__creation__enable": "true", "topic__creation__default__partitions": "12",
             "topic__creation__default__replication__factor": "1"}


@contextlib.contextmanager
def worker():
    """Meanwhile a worker runs; its log is `connect.log` among the stack's. A stack of the profile `cdc` has one already."""
    if connect.answers(_stack()):
        yield
        return
    with open(_stack().log("connect"), "ab") as log:
        process = subprocess.Popen([sys.executable, "-B", str(stack.BV), "_connect", "--stack", stack.env("BV_STACK")],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        def ready():
            if process.poll() is not None:
                raise AssertionError(f"Kafka Connect ended with {process.returncode}; see {_stack().log('connect')}")
            return connect.answers(_stack())
        wait.until(ready, 120, "Kafka Connect", every=0.2)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def connector(name, also=None, **changes):
    """Meanwhile the connector of deploy/connect/<name>.json runs under another name, so that no earlier position is its own, with these
    settings changed (`.` written as `__`), and `also` as its last transform. Yields its name and its slot, which is streamed when this begins, and
    dropped at the end."""
    found = connect.config(_stack(), name)
    found["name"] = unique(name)
    found["config"].update({setting.replace("__", "."): value for setting, value in changes.items()})
    if also:
        found["config"]["transforms"] += f",{also}"
    slot = found["config"]["slot.name"]
    connect.put(_stack(), found)
    try:
        wait.until(lambda: _streams(found["name"], slot), 60, f"the connector {name}", every=0.1)
        yield found["name"], slot
    finally:
        connect.delete(_stack(), found["name"])
        wait.until(lambda: not _active(slot), 30, f"the end of the connector {name}")
        postgres.execute(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}'")


@contextlib.contextmanager
def stopped(name, slot):
    """Meanwhile the connector reads nothing, and its slot keeps the log."""
    connect.stop(_stack(), name)
    try:
        wait.until(lambda: not _active(slot), 60, f"the stop of {name}")
        yield
    finally:
        connect.resume(_stack(), name)


def make_topic(name, partitions):
    kafka.make_topic(stack.env("BV_KAFKA_BROKERS"), name, partitions)


def prepare_cdc():
    """The role and the publication of the change topics, as the profile `cdc` makes them."""
    connect.prepare_cdc(_stack())


def _streams(name, slot):
    failed = [task["trace"] for task in connect.status(_stack(), name).get("tasks", []) if task["state"] == "FAILED"]
    if failed:
        raise AssertionError(failed[0])
    return _active(slot)


def _active(slot):
    return postgres.value(f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slot}' AND active") == 1
