"""Where everything of a clone lies, and which ports its stacks have."""

import hashlib
import os
import pathlib
import re

from . import ports
from .console import Failure

ROOT = pathlib.Path(__file__).resolve().parents[2]
BV = ROOT / ".bv"
TOOLS = BV / "tools"
VENV = TOOLS / "venv"
BIN = TOOLS / "bin"
GOOGLEAPIS = TOOLS / "googleapis"
KAFKA = TOOLS / "kafka"
DEBEZIUM = TOOLS / "debezium"
REGISTRY = TOOLS / "registry"
VERIFIERS = TOOLS / "verifiers"
API_TOOLS = TOOLS / "api"
GRAPHQL = TOOLS / "graphql"

HOST = "127.0.0.1"
PORTS_PER_CLONE = 200
FIRST_BASE, LAST_BASE = 20000, 31900  # below Linux' ephemeral ports
DEV_OFFSET, OTHER_OFFSET = 0, 100

POSTGRES, REDIS, KAFKA_CLIENTS, KAFKA_CONTROLLER, GATEWAY_HTTP = 0, 1, 2, 3, 10
NOTIFICATION_HTTP, NOTIFICATION_2_HTTP = 24, 26
GRAPHQL_HTTP = 52
REGISTRY_HTTP, REGISTRY_MANAGEMENT = 4, 9
PAYMENT_SOAP, PAYMENT_REST = 5, 6  # the simulated payment gateways
CONNECT = 8  # Kafka Connect, in the profile `cdc` only
SMTP = 51  # the mail sink
RABBITMQ, RABBITMQ_DISTRIBUTION, RABBITMQ_EPMD = 44, 46, 47
MOSQUITTO = 49
OTLP_HTTP, OTLP_GRPC = 64, 65  # the collector of spans
OPA = 60
METRICS_OFFSET = 20  # from a service's gRPC port to its metrics port


def preset_of(sanitizer):
    return {None: "release", "address": "asan", "thread": "tsan"}[sanitizer]


def build_dir(preset):
    return BV / "build" / preset


def make_private(path):
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def write_whole(path, text, mode=0o644):
    """Writes a file; a reader sees the old text or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.rename(path)


def write_private(path, text):
    """As write_whole, a file that only its owner may read."""
    write_whole(path, text, 0o600)


def clone_hash():
    return hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]


def port_base():
    """The first of the clone's ports. Chosen once, from the clone's path, then kept in .bv/port_base."""
    file = BV / "port_base"
    if file.exists():
        text = file.read_text(encoding="utf-8").strip()
        if not text.isdigit() or not 1024 <= int(text) <= 65535 - PORTS_PER_CLONE:
            raise Failure(f"{file} should hold a port from 1024 to {65535 - PORTS_PER_CLONE}, but holds {text!r}.")
        return int(text)
    slots = (LAST_BASE - FIRST_BASE) // PORTS_PER_CLONE + 1
    listening = ports.listening()
    first = int(clone_hash(), 16) % slots
    for attempt in range(slots):
        base = FIRST_BASE + (first + attempt) % slots * PORTS_PER_CLONE
        if not any(base <= port < base + PORTS_PER_CLONE for port in listening):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{base}\n", encoding="utf-8")
            return base
    raise Failure(f"No {PORTS_PER_CLONE} free ports from {FIRST_BASE} to {LAST_BASE}; write a base of your own into {file}.")


class Stack:
    """One set of servers and services with its data. `dev` has the clone's first ports, every other stack the second half:
    so a development stack and one other run beside each other."""

    def __init__(self, name, parent=BV / "stacks"):
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            raise Failure(f"A stack's name is 1 to 31 of a-z 0-9 -, and starts with a letter: {name!r} is not.")
        self.name = name
        self.dir = parent / name
        self.logs = self.dir / "logs"
        self.secrets = self.dir / "secrets"
        self.jwks = self.dir / "jwks.json"
        self.schema_ids = self.dir / "schema-ids.json"
        self.state_file = self.dir / "state.json"
        self.events_file = self.dir / "events.jsonl"

    def port(self, offset):
        return port_base() + (DEV_OFFSET if self.name == "dev" else OTHER_OFFSET) + offset

    def address(self, offset):
        return f"{HOST}:{self.port(offset)}"

    def log(self, process):
        return self.logs / f"{process}.log"


def stack_names():
    folder = BV / "stacks"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []
