"""The protos as data: descriptors with the options of every method, by protoc and buf."""

import functools
import json
import pathlib
import shutil
import subprocess
import tempfile
import typing

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
BASELINE = PROTOS / "baseline" / "commerce.json"
GOOGLEAPIS = ROOT / ".bv" / "tools" / "googleapis"
BUF = ROOT / ".bv" / "tools" / "bin" / "buf"
# Where the service has another name than its contract.
SERVED_BY = {"payment": "payment-adapter", "pricing": "product", "mail": "mailer", "webhook": "webhook-dispatcher", "audit": "audit-trail"}
# What the services that make tokens of their own call themselves in them.
SUBJECTS = {"order-service", "inventory-service", "product-service", "mailer"}
_FOLDER = tempfile.TemporaryDirectory(prefix="bv-contract-")


class Method(typing.NamedTuple):
    service: str  # commerce.order.v1.Orders
    name: str  # CreateOrder
    request: str
    response: str
    access: typing.Optional[dict]
    http: typing.Optional[typing.Tuple[str, str]]  # ("POST", "/api/v1/orders")

    @property
    def path(self):
        return f"{self.service}/{self.name}"

    @property
    def context(self):
        """The service of the fleet that serves it: order."""
        context = self.service.split(".")[1]
        return SERVED_BY.get(context, context)


def _buf(*arguments):
    return subprocess.run([str(BUF), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)


@functools.lru_cache(maxsize=None)
def image():
    """A file with the descriptors of the working tree, comments and imports included."""
    file = pathlib.Path(_FOLDER.name) / "commerce.binpb"
    protos = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    subprocess.run([shutil.which("protoc") or "protoc", f"-I{PROTOS}", f"-I{GOOGLEAPIS}", "--include_imports",
                    "--include_source_info", f"--descriptor_set_out={file}", *protos], check=True, timeout=60)
    return file


def lint():
    """What lint finds, "" for nothing."""
    done = _buf("lint", image(), "--config", PROTOS / "buf.yaml", "--path", "commerce")
    return done.stdout + done.stderr


def breaking(against=BASELINE):
    """What the working tree breaks of a published image, "" for nothing."""
    done = _buf("breaking", image(), "--against", against, "--config", PROTOS / "buf.yaml")
    return done.stdout + done.stderr


def image_json():
    """The descriptors as JSON, one line a value so that a change shows in a diff; without comments."""
    done = _buf("build", image(), "--exclude-source-info", "-o", "-#format=json")
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.dumps(json.loads(done.stdout), indent=1, ensure_ascii=False) + "\n"


@functools.lru_cache(maxsize=None)
def described():
    """The descriptors as data, with comments."""
    done = _buf("build", image(), "-o", "-#format=json")
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


@functools.lru_cache(maxsize=None)
def files():
    return _own_files(image_json())


@functools.lru_cache(maxsize=None)
def methods():
    return _methods(files())


def published_methods():
    """As `methods`, of the version that was published last."""
    return _methods(_own_files(BASELINE.read_text(encoding="utf-8")))


def broken_routes(published):
    """What of the REST routes of these methods is served no more, or to fewer, a line each; buf does not look at it."""
    now = {method.path: method for method in methods()}
    found = []
    for method in published:
        today = now.get(method.path)
        if today is None or today.http != method.http:
            found.append(f"{method.path} was {method.http}, is {today and today.http}")
            continue
        before, after = method.access or {}, today.access or {}
        # Which service may call which is the fleet's own matter.
        lost = set(before.get("roles", [])) - set(after.get("roles", [])) - {"ROLE_SERVICE"}
        if lost or (before.get("public") and not after.get("public")):
            found.append(f"{method.path} is no longer for {', '.join(sorted(lost)) or 'the public'}")
    return found


def _own_files(described_as_json):
    return [file for file in json.loads(described_as_json)["file"] if file["package"].startswith("commerce.")]


def _methods(of_files):
    found = []
    for file in of_files:
        for service in file.get("service", []):
            for method in service["method"]:
                options = method.get("options", {})
                http = options.get("[google.api.http]")
                verb = next(((key.upper(), http[key]) for key in ("get", "put", "post", "delete", "patch") if key in http),
                            None) if http else None
                found.append(Method(f"{file['package']}.{service['name']}", method["name"], method["inputType"].lstrip("."),
                                    method["outputType"].lstrip("."), options.get("[commerce.common.v1.access]"), verb))
    return found
