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
SERVED_BY = {"payment": "payment-adapter", "pricing": "product", "mail": "mailer", "webhook": "webhook-dispatcher"}
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
    return [file for file in json.loads(image_json())["file"] if file["package"].startswith("commerce.")]


@functools.lru_cache(maxsize=None)
def methods():
    found = []
    for file in files():
        for service in file.get("service", []):
            for method in service["method"]:
                options = method.get("options", {})
                http = options.get("[google.api.http]")
                verb = next(((key.upper(), http[key]) for key in ("get", "put", "post", "delete", "patch") if key in http),
                            None) if http else None
                found.append(Method(f"{file['package']}.{service['name']}", method["name"], method["inputType"].lstrip("."),
                                    method["outputType"].lstrip("."), options.get("[commerce.common.v1.access]"), verb))
    return found
