"""The contract, made from the protos: of each event a JSON Schema and an example, an AsyncAPI document of the topics, an OpenAPI document of REST.

What is made is checked in; `protos/generate` writes it, and the suite `proto` compares. The same protos always make the same bytes."""

import json

from .asyncapi import document
from .descriptors import Protos
from .example import envelope_example, text as example_text
from .openapi import document as openapi
from .schema import envelope_schema


def files(descriptors, topics, version):
    """{path below protos/: text}. `descriptors` is a FileDescriptorSet as JSON with comments, `topics` are those of topics.yaml, `version` is
    the published one."""
    protos = Protos(descriptors)
    made, examples = {}, {}
    for event in protos.events():
        examples[event.type] = envelope_example(protos, event)
        made[f"events/{event.type}.schema.json"] = _json(envelope_schema(protos, event))
        made[f"events/{event.type}.example.json"] = example_text(examples[event.type]) + "\n"
    made["asyncapi.json"] = example_text(document(protos, topics, examples), indent=0) + "\n"
    made["openapi.json"] = example_text(openapi(protos, version), indent=0) + "\n"
    return made


def _json(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
