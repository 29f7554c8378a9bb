"""The Debian packages that the build and the servers need, and how they get onto the machine."""

import os
import pathlib
import shutil
import subprocess

from . import shell
from .console import Failure, Step
from .layout import BV

BUILD = """g++ cmake ninja-build ccache mold pkg-config protobuf-compiler protobuf-compiler-grpc libgrpc++-dev libprotobuf-dev
    libpqxx-dev libpq-dev librdkafka-dev libhiredis-dev libabsl-dev libspdlog-dev libgtest-dev libgmock-dev prometheus-cpp-dev
    libboost1.81-dev libkainjow-mustache-dev libcjose-dev libjansson-dev libyaml-cpp-dev rapidjson-dev libpugixml-dev libcurl4-openssl-dev libnghttp2-dev libssl-dev
    librabbitmq-dev libmosquitto-dev mosquitto-dev zlib1g-dev clang-format-14 clang-14 libclang-rt-14-dev"""
SERVERS = "postgresql-15 redis-server rabbitmq-server mosquitto haproxy openjdk-17-jre-headless maven libpython3.11"
TOOLS = "ca-certificates kcat mosquitto-clients jq curl wrk linux-perf python3-pip python3-venv"
PACKAGES = f"{BUILD} {SERVERS} {TOOLS}".split()
# Only for the end-to-end suites: 300 MB.
BROWSER = "chromium chromium-driver".split()

# Written by a person's own choice or by nobody: a file that exists is left as it is.
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")
CREATE_CLUSTER = pathlib.Path("/etc/postgresql-common/createcluster.conf")


def missing(packages=None):
    packages = packages or PACKAGES
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        raise Failure("tools/bv installs what it needs with apt and is made for Debian 12; this machine has no apt.\n"
                      f"Install these by hand, or use a Debian 12 container: {' '.join(packages)}")
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages],
                          capture_output=True, text=True, check=False)
    installed = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def install(more=()):
    absent = missing([*PACKAGES, *more])
    if not absent:
        return
    prefix = _privilege(absent)
    with Step("apt packages", f"{len(absent)} to install; log in .bv/logs/apt.log") as step:
        # Only the packages that bring a server need the care below, and only where it is not installed already.
        guard = _Guard(prefix, absent)
        try:
            guard.up()
            apt = [*prefix, "apt-get", "-o", "DPkg::Lock::Timeout=300"]
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            shell.run([*apt, "update"], "apt-get update", env=quiet)
            step.update(" ".join(absent[:4]) + (" …" if len(absent) > 4 else "") + "; log in .bv/logs/apt.log")
            if prefix:
                apt = [*prefix, "DEBIAN_FRONTEND=noninteractive", *apt[len(prefix):]]
            shell.run([*apt, "install", "-y", "--no-install-recommends", *absent], "apt-get install",
                      log=BV / "logs" / "apt.log", env=quiet)
        finally:
            guard.down()
    still = missing(absent)
    if still:
        raise Failure(f"apt-get ended well, but these packages are still missing: {' '.join(still)}")


def command(absent):
    return "apt-get update && apt-get install -y --no-install-recommends " + " ".join(absent)


def _privilege(absent):
    """What to put in front of apt-get: nothing as root, sudo where it asks for no password."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        allowed = subprocess.run(["sudo", "-n", "apt-get", "--version"], capture_output=True, check=False)
        if allowed.returncode == 0:
            return ["sudo", "-n"]
    raise Failure(f"{len(absent)} Debian packages are missing, and neither root nor sudo without a password is at hand.\n"
                  "Run this as root, then call tools/bv again:\n\n"
                  f"    {command(absent)}\n")


class _Guard:
    """Debian starts a server as it installs it. Ours are private ones, so for the time of the installation none is started,
    no default cluster is made, and none is left to start at the next boot. Best effort: where sudo allows apt-get alone, the
    packages' own defaults hold."""

    def __init__(self, prefix, absent):
        self._prefix = prefix
        self._started = [server for server in ("redis-server", "rabbitmq-server", "mosquitto", "haproxy") if server in absent]
        self._postgres = "postgresql-15" in absent
        self._policy = (self._started or self._postgres) and not POLICY.exists()

    def up(self):
        self._root("dpkg --configure -a")  # an installation that was cut off
        if self._policy:
            self._root(f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}")
        if self._postgres and not CREATE_CLUSTER.exists():
            self._root(f"mkdir -p {CREATE_CLUSTER.parent} && echo 'create_main_cluster = false' > {CREATE_CLUSTER}")

    def down(self):
        if self._policy:
            self._root(f"rm -f {POLICY}")
        if self._started and os.path.isdir("/run/systemd/system"):
            self._root(f"systemctl disable --now {' '.join(self._started)}")

    def _root(self, script):
        subprocess.run([*self._prefix, "sh", "-c", script], capture_output=True, check=False, stdin=subprocess.DEVNULL,
                       env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


