"""The contract: what the generator makes of the protos now, and what is checked in."""

import functools
import json
import sys

import jsonschema_rs
import yaml

from support import contract
from support.contract import PROTOS, ROOT

sys.path.insert(0, str(ROOT / "tools"))

from bvtool.contract import Protos, envelope_example, envelope_schema, example_text, files  # noqa: E402,F401

TOPICS = ROOT / "deploy" / "kafka" / "topics.yaml"


@functools.lru_cache(maxsize=None)
def protos():
    return Protos(contract.described())


def topics():
    return yaml.safe_load(TOPICS.read_text(encoding="utf-8"))["topics"]


@functools.lru_cache(maxsize=None)
def made():
    """{path below protos/: text}."""
    return files(contract.described(), topics(), (PROTOS / "VERSION").read_text(encoding="utf-8").strip())


def checked_in():
    return {str(path.relative_to(PROTOS)) for path in (*PROTOS.glob("events/*.json"), PROTOS / "asyncapi.json", PROTOS / "openapi.json") if path.exists()}


def schemas():
    """{event type: its JSON Schema}, as checked in."""
    suffix = ".schema.json"
    return {path.name[:-len(suffix)]: json.loads(path.read_text(encoding="utf-8")) for path in sorted(PROTOS.glob(f"events/*{suffix}"))}


def examples():
    """{event type: its example}, as checked in."""
    suffix = ".example.json"
    return {path.name[:-len(suffix)]: json.loads(path.read_text(encoding="utf-8")) for path in sorted(PROTOS.glob(f"events/*{suffix}"))}


def validator(schema):
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)


def errors(schema, value):
    """What a validator says: [path: message]."""
    return problems(validator(schema), value)


def problems(one, value):
    """As `errors`, with a validator that is used for many values."""
    return ["/".join(("$", *map(str, error.instance_path))) + f": {error.message}" for error in one.iter_errors(value)]


def asyncapi():
    return json.loads((PROTOS / "asyncapi.json").read_text(encoding="utf-8"))


def openapi():
    return json.loads((PROTOS / "openapi.json").read_text(encoding="utf-8"))
