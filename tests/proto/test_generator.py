"""The generator of the events' contract, on messages that the protos do not have yet."""

import json
import unittest

from support.generated import Protos, envelope_example, envelope_schema, errors, example_text, protos

ENVELOPE = "commerce.common.v1.EventEnvelope"


def field(name, kind, label="LABEL_OPTIONAL", **more):
    return {"name": name, "jsonName": name, "type": f"TYPE_{kind}", "label": label, **more}


def event_of(fields, nested=()):
    """The Protos and the event of a file with one event, its message Happened, and the envelope of the real protos."""
    found = Protos({"file": [{"package": "t", "enumType": [{"name": "Kind", "value": [{"name": "KIND_NONE"}, {"name": "KIND_BIG", "number": 1}]}],
                              "messageType": [{"name": "Happened", "field": [field("id", "STRING"), *fields], "nestedType": list(nested), "options": {
                                  "[commerce.common.v1.event]": {"type": "ecommerce.t.t.happened.v1", "key": "id", "producer": "t-service",
                                                                 "schemaVersion": "1.1"}}}]}]})
    found.messages[ENVELOPE] = protos().messages[ENVELOPE]
    (event,) = found.events()
    return found, event


class Generator(unittest.TestCase):
    def made(self, *fields, nested=()):
        """(schema of the payload, the example's payload); the example is valid."""
        found, event = event_of(fields, nested)
        schema, example = envelope_schema(found, event), json.loads(example_text(envelope_example(found, event)))
        self.assertEqual([], errors(schema, example))
        return schema["properties"]["payload"], example["payload"]

    def test_what_may_be_absent_is_not_required(self):
        schema, example = self.made(
            field("plain", "INT64"), field("maybe", "INT64", oneofIndex=0, proto3Optional=True), field("one", "STRING", oneofIndex=1),
            field("many", "STRING", "LABEL_REPEATED"), field("kind", "ENUM", typeName=".t.Kind"), field("part", "MESSAGE", typeName=".t.Happened.Part"),
            nested=[{"name": "Part", "field": [field("on", "BOOL")]}])
        self.assertEqual(["id", "plain", "many"], schema["required"])
        self.assertEqual(["id", "plain", "maybe", "one", "many", "kind", "part"], list(example))
        self.assertEqual(["BIG"], schema["properties"]["kind"]["enum"])
        self.assertEqual((["on"], False), (schema["properties"]["part"]["required"], schema["properties"]["part"]["additionalProperties"]))

    def test_a_map_is_an_object(self):
        schema, example = self.made(
            field("names", "MESSAGE", "LABEL_REPEATED", typeName=".t.Happened.NamesEntry"),
            nested=[{"name": "NamesEntry", "field": [field("key", "STRING"), field("value", "INT32")], "options": {"mapEntry": True}}])
        self.assertEqual({"type": "object", "additionalProperties": {"type": "integer"}}, schema["properties"]["names"])
        self.assertEqual({"key-1": 1}, example["names"])

    def test_every_kind_of_value(self):
        kinds = ("DOUBLE", "FLOAT", "INT32", "UINT32", "INT64", "UINT64", "SINT32", "FIXED64", "BOOL", "BYTES", "STRING")
        schema, _ = self.made(*(field(f"f{number}", kind) for number, kind in enumerate(kinds)))
        self.assertEqual(["number"] * 2 + ["integer"] * 6 + ["boolean"] + ["string"] * 2,
                         [schema["properties"][f"f{number}"]["type"] for number in range(len(kinds))])

    def test_a_message_in_itself_is_refused(self):
        found, event = event_of([field("again", "MESSAGE", typeName=".t.Happened")])
        with self.assertRaisesRegex(ValueError, "t.Happened contains itself"):
            envelope_schema(found, event)


if __name__ == "__main__":
    unittest.main()
