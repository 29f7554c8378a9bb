"""The running stack: its addresses, its processes, its secrets. `tools/bv test` and `tools/bv bench` name it in the environment."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request
import uuid

from support import wait

ROOT = pathlib.Path(__file__).resolve().parents[2]
BV = ROOT / "tools" / "bv"
TOOLS = ROOT / ".bv" / "tools" / "bin"
SERVICES = ("product", "cart", "order", "inventory", "payment-adapter", "analytics", "replay", "identity", "mailer", "audit-trail", "webhook-dispatcher", "mqtt-ingest",
            "notification", "gateway", "outbox-relay")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def env(name):
    """A variable of `tools/bv env`. A missing one is an error: a suite that finds no fleet must not look like a passed one."""
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set: run this by `tools/bv test`, or export `tools/bv env` of a running stack")
    return value


def grpc_address(service):
    return env(f"BV_{service.upper().replace('-', '_')}_GRPC")


# Processes


def processes():
    """{name: row of `tools/bv status --json`}."""
    done = subprocess.run([sys.executable, "-B", str(BV), "status", "--json", "--stack", env("BV_STACK")],
                          stdout=subprocess.PIPE, check=True, timeout=60)
    return {row["name"]: row for row in json.loads(done.stdout)["processes"]}


def pids():
    return {name: row["pid"] for name, row in processes().items()}


def send_signal(name, number):
    """Signals a process of the stack; returns its pid."""
    pid = processes()[name]["pid"]
    if pid is None:
        raise AssertionError(f"{name} does not run")
    os.kill(pid, number)
    return pid


def await_ready(*names, within=60):
    """Waits until these processes (all when none is named) answer as ready."""
    def ready():
        rows = processes()
        return all(rows[name]["health"] == "ready" for name in names or rows)
    wait.until(ready, within, f"{', '.join(names) or 'everything'} ready", every=0.2)


def await_restart(name, old_pid, within=60):
    """Waits until the supervisor has started `name` anew and it is ready; returns its new pid."""
    def restarted():
        row = processes()[name]
        return row["pid"] not in (None, old_pid) and row["health"] == "ready" and row["pid"]
    return wait.until(restarted, within, f"a new {name}", every=0.2)


def resident_mb(pid):
    fields = pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(pid):
    """What a process has used of the processors since it was started."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # user, system


def is_ready(metrics_url):
    """Whether the service with this page of metrics says that it is ready."""
    try:
        with _DIRECT.open(metrics_url, timeout=10) as page:
            return "\nbv_ready 1" in page.read().decode()
    except OSError:
        return False


def metric(service, name, **labels):
    """The sum of a metric's samples with these labels, None when there is none."""
    url = env(f"BV_METRICS_{service.upper().replace('-', '_')}")
    with _DIRECT.open(url, timeout=10) as page:
        lines = page.read().decode().splitlines()
    found = None
    for line in lines:
        match = re.match(rf"{name}(?:\{{(.*)\}})? (\S+)$", line)
        if match and all(f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()):
            found = (found or 0) + float(match[2])
    return found


def schema_ids():
    """The file from which outbox-relay learns the schemas' ids."""
    return pathlib.Path(env("BV_JWKS_FILE")).parent / "schema-ids.json"


# Secrets


def password(role):
    """Of a role of PostgreSQL, named without its `bv_`."""
    return (pathlib.Path(env("BV_JWKS_FILE")).parent / "secrets" / f"{role}.password").read_text(encoding="ascii").strip()


def token(role="CUSTOMER", tenant="demo", user="ada", lifetime=3600, key=None, header=None, **claims):
    """A token of the development issuer. `key`, `header` and further claims make wrong ones; a claim that is None is left out."""
    (jwk,) = json.loads(pathlib.Path(env("BV_JWKS_FILE")).read_text(encoding="utf-8"))["keys"]
    now = int(time.time())
    body = {"iss": "https://issuer.bivouac.dev", "aud": "bivouac", "sub": user, "role": role,
            "tenant": None if role == "OPERATOR" else tenant,
            "iat": min(now, now + lifetime), "exp": now + lifetime, "jti": str(uuid.uuid4()), **claims}
    head = {"alg": "HS256", "typ": "JWT", "kid": jwk["kid"], **(header or {})}
    signed = f"{_base64url(json.dumps(head).encode())}." + \
        _base64url(json.dumps({name: value for name, value in body.items() if value is not None}).encode())
    secret = key or base64.urlsafe_b64decode(jwk["k"] + "=" * (-len(jwk["k"]) % 4))
    return f"{signed}.{_base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
