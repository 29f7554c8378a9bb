"""The events' JSON Schemas only grow, and use nothing that the writers' validator would pass over."""

import copy
import unittest

from support import schemas
from support.contract import PROTOS

ORDER_CREATED = "ecommerce.order.order.created.v1"
# What rapidjson, with which libs/events/schemas.cc checks every event, does or is told in other words; and what binds nobody.
CHECKED = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "pattern", "minLength", "minimum"}
SAID = {"$schema", "$id", "title", "description", "format", "contentEncoding"}


def keywords(schema):
    """All that a schema and what is below it use."""
    yield from schema
    for below in schema.get("properties", {}).values():
        yield from keywords(below)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from keywords(schema[name])


class Schemas(unittest.TestCase):
    def test_break_nothing_that_was_published(self):
        self.assertIn(ORDER_CREATED, schemas.of(schemas.BASELINE))
        self.assertEqual([], schemas.breaking(), "\nAdd instead of changing, or begin a v2; see protos/README.md.")

    def test_say_nothing_that_a_writer_does_not_check(self):
        for event, schema in schemas.of(PROTOS / "events").items():
            with self.subTest(event):
                self.assertEqual(set(), set(keywords(schema)) - CHECKED - SAID)


class Changes(unittest.TestCase):
    """That the rule finds what it should, on the schema of OrderCreated."""

    def problems(self, change):
        published = {ORDER_CREATED: schemas.of(PROTOS / "events")[ORDER_CREATED]}
        now = copy.deepcopy(published)
        change(now[ORDER_CREATED]["properties"]["payload"])
        return schemas.breaking(published, now)

    def check(self, change, *sentences):
        self.assertEqual([f"{ORDER_CREATED}: {sentence}" for sentence in sentences], self.problems(change))

    def test_an_optional_property_is_an_addition(self):
        self.check(lambda payload: payload["properties"].update(note={"type": "string"}))
        self.check(lambda payload: payload["properties"]["items"]["items"]["properties"].update(note={"type": "string"}))

    def test_other_words_are_no_change(self):
        self.check(lambda payload: payload["properties"]["currency"].update(description="Other words."))

    def test_a_removed_property_is_named(self):
        self.check(lambda payload: payload["properties"].pop("userId"), "payload.userId: is gone")
        self.check(lambda payload: payload["properties"]["items"]["items"]["properties"].pop("qty"), "payload.items[].qty: is gone")

    def test_a_renamed_property_is_named(self):
        def rename(payload):
            payload["properties"]["buyer"] = payload["properties"].pop("userId")
            payload["required"][payload["required"].index("userId")] = "buyer"
        self.check(rename, "payload.userId: is gone", "payload.buyer: is new and required")

    def test_another_type_is_named(self):
        self.check(lambda payload: payload["properties"]["totalAmount"].update(type="string"),
                   'payload.totalAmount: `type` was "number" and is "string"')

    def test_what_must_or_may_be_there_is_named(self):
        self.check(lambda payload: payload["required"].remove("userId"), "payload.userId: may be missing now")
        self.check(lambda payload: (payload["properties"].update(note={"type": "string"}), payload["required"].append("note")),
                   "payload.note: is new and required")

    def test_fewer_values_are_named(self):
        self.check(lambda payload: payload["properties"]["currency"].update(enum=["USD"]), "payload.currency: has to be one of a few values now")
        self.check(lambda payload: payload["properties"]["items"].update(minItems=1), "payload.items: `minItems` was null and is 1")

    def test_an_event_type_that_is_gone_is_named(self):
        published = schemas.of(PROTOS / "events")
        now = {event: schema for event, schema in published.items() if event != ORDER_CREATED}
        self.assertEqual([f"{ORDER_CREATED}: the event type is gone"], schemas.breaking(published, now))


if __name__ == "__main__":
    unittest.main()
