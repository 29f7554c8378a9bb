"""JSON Schema of the whole value of a Kafka message: the envelope, and the payload as libs/json writes it.

Draft 7, which Apicurio, the validators of C++ and those of every other language know. The schema is a writer's: closed, so that a field that is
added counts as compatible. Readers pass over what they do not know."""

from .descriptors import TIMESTAMP

UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$"
TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3}|\.\d{6})?Z$"
ENVELOPE = "commerce.common.v1.EventEnvelope"

_SCALARS = {
    "TYPE_STRING": {"type": "string"},
    "TYPE_BYTES": {"type": "string", "contentEncoding": "base64"},
    "TYPE_BOOL": {"type": "boolean"},
    "TYPE_DOUBLE": {"type": "number"},
    "TYPE_FLOAT": {"type": "number"},
    **{kind: {"type": "integer"} for kind in ("TYPE_INT32", "TYPE_INT64", "TYPE_SINT32", "TYPE_SINT64", "TYPE_SFIXED32", "TYPE_SFIXED64")},
    **{kind: {"type": "integer", "minimum": 0} for kind in ("TYPE_UINT32", "TYPE_UINT64", "TYPE_FIXED32", "TYPE_FIXED64")},
}


def scalar(kind):
    """Of "TYPE_INT64" and its like."""
    return dict(_SCALARS[kind])


def envelope_schema(protos, event):
    rules = {
        "event_id": {"pattern": UUID},
        "event_type": {"const": event.type},
        "occurred_at": {"format": "date-time", "pattern": MOMENT},
        "producer": {"const": event.producer},
        "trace_id": {"pattern": "^[0-9a-f]{32}$"},
        "correlation_id": {"minLength": 1},
        "schema_version": {"enum": versions_up_to(event.schema_version)},
        "partition_key": {"minLength": 1},
    }
    properties = {field.json_name: _described({"type": "string", **rules[field.name]}, field.comment)
                  for field in protos.messages[ENVELOPE].fields}
    properties["payload"] = _described(_object(protos, event.message, ()), event.message.comment)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:bivouac:event:{event.type}",
        "title": event.name,
        **_closed(properties, list(properties)),
    }


def versions_up_to(version):
    """"1.2" → 1.0, 1.1, 1.2: a version that is added leaves the schema compatible, which another constant would not."""
    major, minor = version.split(".")
    return [f"{major}.{number}" for number in range(int(minor) + 1)]


def _closed(properties, required):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _object(protos, message, inside):
    """Without references, which the registry and the validators treat differently."""
    if message.name in inside:
        raise ValueError(f"{message.name} contains itself: an event cannot be described that way")
    inside = (*inside, message.name)
    properties = {field.json_name: _described(_field(protos, field, inside), _comment(field)) for field in message.fields}
    return _closed(properties, [field.json_name for field in message.fields if field.always_written])


def _field(protos, field, inside):
    if field.repeated and field.kind == "TYPE_MESSAGE" and protos.messages[field.type_name].is_map_entry:
        _, value = protos.messages[field.type_name].fields
        return {"type": "object", "additionalProperties": _value(protos, value, inside)}
    if field.repeated:
        return {"type": "array", "items": _value(protos, field, inside)}
    return _value(protos, field, inside)


def _value(protos, field, inside):
    if field.amount:
        return {"type": "number"}
    if field.kind == "TYPE_ENUM":
        return {"type": "string", "enum": protos.enums[field.type_name]}
    if field.type_name == TIMESTAMP:
        return {"type": "string", "format": "date-time", "pattern": TIME}
    if field.kind == "TYPE_MESSAGE":
        return _object(protos, protos.messages[field.type_name], inside)
    return scalar(field.kind)


def _comment(field):
    unit = "A decimal number in the unit of `currency`." if field.amount else ""
    return " ".join(filter(None, (field.comment, unit)))


def _described(schema, comment):
    return {"description": comment, **schema} if comment else schema
