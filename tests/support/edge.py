"""Gateways and proxies of a test's own, in front of the stack's services."""

import contextlib
import os
import pathlib
import random
import socket
import ssl
import subprocess
import tempfile

from support import http, stack, wait

CONFIGURATION = stack.ROOT / "deploy" / "edge" / "haproxy.cfg"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def own_address():
    """An address of this machine that nobody else uses."""
    return ".".join(str(part) for part in (127, *(random.SystemRandom().randrange(1, 255) for _ in range(3))))


@contextlib.contextmanager
def gateway(**settings):
    """The stack's gateway once more, with settings (BV_…) of its own; its port. What its limits count is not the stack's: another database
    of Redis."""
    pid = stack.pids()["gateway"]
    process = pathlib.Path("/proc", str(pid))
    program = (process / "cmdline").read_text(encoding="utf-8").split("\0")[0]
    environment = dict(line.split("=", 1) for line in (process / "environ").read_text(encoding="utf-8").split("\0") if "=" in line)
    port, metrics = free_port(), f"127.0.0.1:{free_port()}"
    environment.update({"BV_HTTP_ADDRESS": f"127.0.0.1:{port}", "BV_GRPC_ADDRESS": "127.0.0.1:0", "BV_METRICS_ADDRESS": metrics,
                        "BV_REDIS_URL": stack.env("BV_REDIS_URL").rpartition("/")[0] + "/15", **settings})
    with subprocess.Popen([program], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as running:
        try:
            # It listens before it takes tokens.
            wait.until(lambda: stack.is_ready(f"http://{metrics}/metrics"), 20, "the test's gateway is ready")
            yield port
        finally:
            running.terminate()


class Edge:
    """HAProxy with the deployment's configuration and a certificate of the test's. `changes` are texts of the configuration that are
    written differently, each of them once."""

    def __init__(self, gateway_port, changes=None):
        self._folder = tempfile.TemporaryDirectory(prefix="bv-edge-")
        folder = pathlib.Path(self._folder.name)
        self.certificate = folder / "certificate.pem"
        key = folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", str(key), "-out", str(self.certificate)], check=True, capture_output=True, timeout=30)
        together = folder / "edge.pem"
        together.write_bytes(self.certificate.read_bytes() + key.read_bytes())
        text = CONFIGURATION.read_text(encoding="utf-8")
        for before, after in (changes or {}).items():
            if text.count(before) != 1:
                raise AssertionError(f"{CONFIGURATION} does not have {before!r} once")
            text = text.replace(before, after)
        configuration = folder / "haproxy.cfg"
        configuration.write_text(text, encoding="utf-8")
        self.port, self.plain_port = free_port(), free_port()
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["haproxy", "-W", "-f", str(configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "BV_EDGE_ADDRESS": f"127.0.0.1:{self.port}", "BV_EDGE_PLAIN_ADDRESS": f"127.0.0.1:{self.plain_port}",
                     "BV_EDGE_CERTIFICATE": str(together), "BV_EDGE_GATEWAY": f"127.0.0.1:{gateway_port}"})
        wait.until(lambda: self.get("/readyz", "--http1.1").status == 200, 20, "HAProxy has a gateway")

    def log(self):
        return self._log.read_text(encoding="utf-8", errors="replace")

    def trust(self):
        return ssl.create_default_context(cafile=str(self.certificate))

    def get(self, path, *options, url=None):
        """By curl; the version of HTTP is the header :version."""
        done = subprocess.run(["curl", "-sS", "-i", "-4", "--noproxy", "*", "--cacert", str(self.certificate), "--max-time", "20",
                               "-w", "\n%{http_version}", *options, (url or f"https://localhost:{self.port}") + path],
                              capture_output=True, check=False, timeout=30)
        head, _, rest = done.stdout.decode().replace("\r\n", "\n").partition("\n\n")
        body, _, version = rest.rpartition("\n")
        lines = head.split("\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        status = lines[0].split()
        return http.Answer(int(status[1]) if len(status) > 1 else 0, {**headers, ":version": version}, body)

    def close(self):
        self._process.terminate()
        self._process.wait(timeout=20)
        self._folder.cleanup()
