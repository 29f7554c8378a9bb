"""gRPC calls by grpcurl, which learns the contract from the server's reflection, as any stock client may."""

import base64
import json
import pathlib
import re
import subprocess
import typing
import uuid

from support import contract, stack

CODES = ("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
         "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
         "DATA_LOSS", "UNAUTHENTICATED")


class Answer(typing.NamedTuple):
    code: str
    message: str
    details: typing.List[dict]  # google.rpc details of an error, as JSON
    json: dict  # the response

    @property
    def reason(self):
        return next((detail["reason"] for detail in self.details if detail["@type"].endswith("ErrorInfo")), "")

    @property
    def field(self):
        return next((detail["fieldViolations"][0]["field"] for detail in self.details if detail["@type"].endswith("BadRequest")), "")


def grpcurl(*arguments, stdin=None):
    return subprocess.run([str(stack.TOOLS / "grpcurl"), "-plaintext", "-max-time", "20", *arguments], input=stdin,
                          capture_output=True, text=True, check=False, timeout=60)


def call(service, method, request=None, token=None, **headers):
    """`method` is "commerce.order.v1.Orders/CreateOrder"; headers are metadata, `_` for `-`. A new idempotency-key goes along, if none is
    given."""
    sent = {"idempotency-key": str(uuid.uuid4()), **{name.replace("_", "-"): value for name, value in headers.items()}}
    if token:
        sent["authorization"] = f"Bearer {token}"
    # Contract by reflection; the types of error details by file, because no service declares them.
    arguments = ["-use-reflection", "-import-path", str(contract.GOOGLEAPIS), "-proto", "google/rpc/error_details.proto",
                 "-emit-defaults", "-format-error", "-d", "@"]
    for name, value in sent.items():
        arguments += ["-H", f"{name}: {value}"]
    done = grpcurl(*arguments, stack.grpc_address(service), method, stdin=json.dumps(request or {}))
    if done.returncode == 0:
        return Answer("OK", "", [], _camel(json.loads(done.stdout)))
    if not 64 < done.returncode < 64 + len(CODES):
        raise RuntimeError(done.stderr)
    error = json.loads(done.stderr[done.stderr.index("{"):])
    return Answer(CODES[done.returncode - 64], error.get("message", ""), _camel(error.get("details", [])), {})


def many(service, calls):
    """Sends an empty message to each (method, metadata), many at once over one connection; returns their (code, reason of the error)."""
    asked = [(method, {"idempotency-key": str(uuid.uuid4()), **metadata}) for method, metadata in calls]
    done = subprocess.run([str(stack.TOOLS / "node"), str(pathlib.Path(__file__).with_name("grpc_many.cjs"))], text=True, capture_output=True,
                          input=json.dumps({"address": stack.grpc_address(service), "calls": asked}), check=False, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [_outcome(answer) for answer in json.loads(done.stdout)]


def _outcome(answer):
    encoded = answer.get("grpc-status-details-bin", "")
    details = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    # A google.rpc.Status with an ErrorInfo whose first field is the reason.
    reason = re.search(rb"google\.rpc\.ErrorInfo\x12.{1,2}?\n.([A-Z_]+)", details, re.DOTALL)
    return CODES[int(answer["grpc-status"])], reason[1].decode() if reason else ""


def _camel(value):
    """With the names of the JSON mapping; the reflection of a C++ server does not hold them, and grpcurl prints the fields' own."""
    if isinstance(value, list):
        return [_camel(element) for element in value]
    if isinstance(value, dict):
        return {re.sub(r"_(\w)", lambda match: match[1].upper(), name): _camel(element) for name, element in value.items()}
    return value


def health(service):
    """What the standard health service says: "SERVING"."""
    # By file: a C++ server's reflection does not describe the health service, which is built into gRPC.
    here = pathlib.Path(__file__).parent
    done = grpcurl("-import-path", str(here), "-proto", "health.proto", stack.grpc_address(service), "grpc.health.v1.Health/Check")
    return json.loads(done.stdout)["status"] if done.returncode == 0 else done.stderr.strip()


def raw(service, method, message, token):
    """Sends bytes as they are in a gRPC frame, as a faulty client would; returns the code."""
    frame = b"\0" + len(message).to_bytes(4, "big") + message
    done = subprocess.run(
        ["curl", "-s", "--http2-prior-knowledge", "--max-time", "20", "-H", "content-type: application/grpc", "-H", "te: trailers",
         "-H", f"authorization: Bearer {token}", "-H", f"idempotency-key: {uuid.uuid4()}",
         "--data-binary", "@-", "-D", "-", "-o", "/dev/null", f"http://{stack.grpc_address(service)}/{method}"],
        input=frame, stdout=subprocess.PIPE, check=False, timeout=60)
    for line in done.stdout.decode(errors="replace").lower().splitlines():
        if line.startswith("grpc-status:"):
            return CODES[int(line.split(":")[1])]
    raise RuntimeError(f"no grpc-status in {done.stdout!r}, curl ended with {done.returncode}")
