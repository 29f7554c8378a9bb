"""Mosquitto, the broker of the devices: a private one, with an account for each device and what it may write."""

import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess

from . import credentials, state
from .console import Failure
from .layout import HOST, MOSQUITTO, build_dir, make_private, write_private

# Debian has it where only root looks for programs.
SERVER = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
# The account of mqtt-ingest, which only reads.
INGEST = "mqtt-ingest"
TOPIC = "iot/inventory/{sku}/delta"
DEVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}/[A-Za-z0-9._-]{1,64}")
SKU = re.compile(r"[A-Za-z0-9._-]{1,64}")

# What waits for mqtt-ingest is bounded, and written down every few seconds as well as at the end; a device that sends more than the largest
# message is told so. The plugin says who published a message.
SETTINGS = """\
listener {port} {host}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
plugin {plugin}
plugin_opt_key {key}
persistence true
persistence_location {folder}/data/
autosave_interval 5
max_inflight_messages 500
max_queued_messages 200000
max_queued_bytes 67108864
message_size_limit 65536
max_packet_size 131072
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
"""


def folder(stack):
    return stack.dir / "mosquitto"


def prepare(stack, preset):
    """Writes the configuration; the accounts of devices are kept."""
    made = make_private(folder(stack))
    (made / "data").mkdir(exist_ok=True)
    settings = SETTINGS.format(host=HOST, port=stack.port(MOSQUITTO), folder=made, plugin=build_dir(preset) / "bin" / "mosquitto_account.so",
                               key=credentials.password(stack, credentials.MQTT_ACCOUNT_KEY))
    if os.geteuid() == 0:
        settings += "user root\n"  # else it would become the package's user, who may not come in here
    write_private(made / "mosquitto.conf", settings)
    if not (made / "passwords").exists():
        write_private(made / "acl", f"user {INGEST}\ntopic read {TOPIC.format(sku='+')}\n")
        write_private(made / "passwords", "")
        _set_password(stack, INGEST, credentials.password(stack, credentials.MQTT))


def command(stack):
    return [SERVER, "-c", str(folder(stack) / "mosquitto.conf")]


def answers(port):
    """It answers an MQTT 3.1.1 CONNECT of nobody: not authorised."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00")
            return connection.recv(4) == b"\x20\x02\x00\x05"
    except OSError:
        return False


def add_device(stack, name, skus):
    """Gives a device an account, or further SKUs, and a new password, which is returned. A running broker knows it at once."""
    if not DEVICE.fullmatch(name):
        raise Failure(f"A device is <tenant>/<device>, the device 1 to 64 of A-Z a-z 0-9 . _ -: {name!r} is not.")
    for sku in skus:
        if not SKU.fullmatch(sku):
            raise Failure(f"A SKU is 1 to 64 of A-Z a-z 0-9 . _ -: {sku!r} is not.")
    acl = folder(stack) / "acl"
    if not acl.exists():
        raise Failure(f"The stack `{stack.name}` has no broker yet: `tools/bv up` makes it.")
    rights = _read_acl(acl)
    mine = rights.setdefault(name, [])
    mine += [line for line in (f"topic write {TOPIC.format(sku=sku)}" for sku in skus) if line not in mine]
    write_private(acl, "\n".join(f"user {user}\n" + "".join(f"{line}\n" for line in lines) for user, lines in rights.items()))
    password = secrets.token_hex(16)
    _set_password(stack, name, password)
    _reload(stack)
    return password


def _read_acl(path):
    """{user: lines of what it may do}."""
    rights = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("user "):
            lines = rights.setdefault(line.removeprefix("user "), [])
        elif line:
            lines.append(line)
    return rights


def _set_password(stack, user, password):
    path = folder(stack) / "passwords"
    # Beside the file and then in its place, so that a broker that reads it meanwhile finds all of it.
    new = path.with_name("passwords.new")
    shutil.copy2(path, new)
    done = subprocess.run(["mosquitto_passwd", "-b", str(new), user, password], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"mosquitto_passwd: {done.stderr.strip()}")
    new.replace(path)


def _reload(stack):
    now = state.read(stack)
    broker = next((process for process in (now or {}).get("processes", []) if process["name"] == "mosquitto" and process["pid"]), None)
    if broker and state.supervised(now):
        os.kill(broker["pid"], signal.SIGHUP)
