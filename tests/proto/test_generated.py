"""The contract of the events that is checked in: what the generator makes of the protos now, true to itself, and to what the fleet does."""

import copy
import re
import unittest

import asyncapi3
import jsonschema_rs
import pydantic

from support import generated
from support.contract import PROTOS, ROOT
from support.generated import errors

RELAY = ROOT / "services" / "outbox-relay" / "relay" / "record.cc"


def places(schema, value, path=()):
    """(path, schema of the holder, schema, value) of an object's members and all below."""
    for name, member in value.items():
        below = schema["properties"][name]
        yield (*path, name), schema, below, member
        if "properties" in below:
            yield from places(below, member, (*path, name))
        elif "properties" in below.get("items", {}):
            yield from places(below["items"], member[0], (*path, name, 0))


def changed(value, path, change):
    """A copy in which `change(holder, name)` was applied to the value at the path."""
    result = copy.deepcopy(value)
    holder = result
    for part in path[:-1]:
        holder = holder[part]
    change(holder, path[-1])
    return result


def drop(holder, name):
    del holder[name]


def put(new):
    def change(holder, name):
        holder[name] = new
    return change


class Generated(unittest.TestCase):
    maxDiff = None

    def test_is_what_the_protos_make(self):
        made = generated.made()
        self.assertEqual(sorted(made), sorted(generated.checked_in()), "\nrun protos/generate")
        for path, text in made.items():
            with self.subTest(path):
                self.assertEqual((PROTOS / path).read_text(encoding="utf-8"), text, "\nrun protos/generate")

    def test_every_event_has_schema_and_example(self):
        types = [event.type for event in generated.protos().events()]
        self.assertGreater(len(types), 10)
        self.assertEqual(types, sorted(generated.schemas()))
        self.assertEqual(types, sorted(generated.examples()))


class Schemas(unittest.TestCase):
    def for_each(self, check):
        """check(schema, example) of each type."""
        examples = generated.examples()
        for type_, schema in generated.schemas().items():
            with self.subTest(type_):
                check(schema, examples[type_])

    def test_are_schemas(self):
        self.for_each(lambda schema, _: jsonschema_rs.meta.validate(schema))

    def test_accept_the_example(self):
        self.for_each(lambda schema, example: self.assertEqual([], errors(schema, example)))

    def test_refuse_what_is_missing(self):
        def check(schema, example):
            for path, holder, _, _ in places(schema, example):
                without = errors(schema, changed(example, path, drop))
                self.assertEqual(path[-1] in holder["required"], bool(without), (path, without))
        self.for_each(check)

    def test_refuse_what_is_of_another_type(self):
        def check(schema, example):
            for path, _, _, value in places(schema, example):
                self.assertTrue(errors(schema, changed(example, path, put(None))), path)
                self.assertTrue(errors(schema, changed(example, path, put([] if isinstance(value, dict) else {}))), path)
                if not isinstance(value, bool):
                    self.assertTrue(errors(schema, changed(example, path, put(True))), path)
        self.for_each(check)

    def test_refuse_what_they_do_not_know(self):
        def check(schema, example):
            self.assertTrue(errors(schema, {**example, "unknown": 1}))
            for path, _, below, value in places(schema, example):
                if below.get("type") == "object" and "properties" in below:
                    self.assertTrue(errors(schema, changed(example, path, put({**value, "unknown": 1}))), path)
                if "properties" in below.get("items", {}):
                    self.assertTrue(errors(schema, changed(example, path, put([{**value[0], "unknown": 1}]))), path)
        self.for_each(check)

    def test_refuse_an_envelope_of_another_form(self):
        wrong = {"eventId": "1", "eventType": "ecommerce.order.order.created.v2", "occurredAt": "2023-11-23T00:01:02Z", "producer": "somebody",
                 "traceId": "", "correlationId": "", "schemaVersion": "1.99", "partitionKey": ""}

        def check(schema, example):
            self.assertEqual(wrong.keys(), example.keys() - {"payload"})
            for name, value in wrong.items():
                (error,) = errors(schema, {**example, name: value})
                self.assertTrue(error.startswith(f"$/{name}: "), error)
        self.for_each(check)

    def test_a_later_version_leaves_the_earlier_ones_valid(self):
        event = generated.protos().events()[0]
        later = generated.envelope_schema(generated.protos(), event._replace(schema_version="1.2"))
        self.assertEqual(later["properties"]["schemaVersion"]["enum"], ["1.0", "1.1", "1.2"])
        self.assertEqual([], errors(later, generated.examples()[event.type]))


class AsyncApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = generated.asyncapi()
        cls.messages = cls.document["components"]["messages"]

    def resolve(self, reference):
        found = self.document
        self.assertEqual(reference[:2], "#/")
        for part in reference[2:].split("/"):
            found = found[part]
        return found

    def test_is_an_asyncapi_document(self):
        asyncapi3.AsyncAPI3.model_validate(self.document)
        for path, value in ((("channels", "ecommerce-order-order", "bindings", "kafka", "partitions"), "many"), (("info", "title"), None),
                            (("operations", "send-ecommerce-order-order", "action"), "publish"), (("unknown",), 1)):
            with self.subTest(path), self.assertRaises(pydantic.ValidationError):
                asyncapi3.AsyncAPI3.model_validate(changed(self.document, path, put(value)))

    def test_every_topic_with_events_is_a_channel(self):
        topics = {topic["name"]: topic for topic in generated.topics()}
        published = {event.topic for event in generated.protos().events()} & topics.keys()
        channels = {channel["address"]: channel for channel in self.document["channels"].values()}
        self.assertEqual(published, channels.keys())
        for name, channel in channels.items():
            with self.subTest(name):
                kafka = channel["bindings"]["kafka"]
                self.assertEqual(kafka["partitions"], topics[name]["partitions"])
                self.assertEqual(str(kafka["topicConfiguration"]["retention.ms"]), topics[name]["config"]["retention.ms"])
                self.assertIn("aggregateVersion", channel["description"], "say in asyncapi.py what it counts")

    def test_every_topic_is_sent_to(self):
        operations = self.document["operations"].values()
        self.assertEqual({"send"}, {operation["action"] for operation in operations})
        self.assertEqual(sorted(channel["address"] for channel in self.document["channels"].values()),
                         sorted(self.resolve(operation["channel"]["$ref"])["address"] for operation in operations))

    def test_every_message_is_in_its_channel_with_its_schema(self):
        seen = []
        for channel in self.document["channels"].values():
            for name, reference in channel["messages"].items():
                with self.subTest(name):
                    message = self.resolve(reference["$ref"])
                    seen.append(message["name"])
                    self.assertEqual(message["name"].rsplit(".", 2)[0], channel["address"])
                    self.assertTrue(message["summary"])
                    self.assertEqual(message["payload"]["schema"]["$ref"], f"events/{message['name']}.schema.json")
        self.assertEqual(sorted(seen), sorted(message["name"] for message in self.messages.values()))

    def test_examples_have_the_headers_and_the_value_that_are_described(self):
        schemas = generated.schemas()
        for name, message in self.messages.items():
            with self.subTest(name):
                (example,) = message["examples"]
                self.assertEqual([], errors(message["headers"], example["headers"]))
                self.assertTrue(errors(message["headers"], {**example["headers"], "ce_type": "another"}))
                self.assertEqual([], errors(schemas[message["name"]], example["payload"]))

    def test_headers_are_those_of_the_relay(self):
        written = re.findall(r'\bAdd\("(\w+)"', RELAY.read_text(encoding="utf-8"))
        self.assertIn("ce_id", written)
        for name, message in self.messages.items():
            with self.subTest(name):
                self.assertEqual(written, list(message["headers"]["properties"]))


if __name__ == "__main__":
    unittest.main()
