"""The schema registry, through `tools/bv schemas`: what it has, what it refuses, and that nothing which runs needs it."""

import json
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from support import consumer, kafka, schemas, stack, wait
from support.contract import PROTOS
from support.generated import errors
from support.shop import Shop, unique

ORDER_CREATED = "ecommerce.order.order.created.v1"


def call(action, *more):
    """`tools/bv schemas`; returns its exit code and what it said."""
    done = subprocess.run([sys.executable, "-B", str(stack.BV), "schemas", action, "--registry", stack.env("BV_REGISTRY_URL"), *more],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    return done.returncode, done.stdout


def registered():
    """{subject: version} as `list` shows them."""
    code, said = call("list")
    assert code == 0, said
    return {line.split()[0]: int(line.split()[2]) for line in said.splitlines()[1:]}


def asked(path):
    """What the registry itself answers."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(stack.env("BV_REGISTRY_URL") + path, timeout=20) as answer:
        return json.load(answer)


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack.await_ready()
        code, said = call("register")
        assert code == 0, said

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, event, schema):
        (self.folder / f"{event}.schema.json").write_text(json.dumps(schema), encoding="utf-8")

    def changed(self, change, event=ORDER_CREATED):
        """`check` of a schema whose payload was changed."""
        schema = schemas.of(PROTOS / "events")[event]
        change(schema["properties"]["payload"])
        self.write(event, schema)
        return call("check", "--folder", str(self.folder))

    def check_refused(self, change, *sentences):
        code, said = self.changed(change)
        self.assertEqual(1, code, said)
        for sentence in sentences:
            self.assertIn(f"{ORDER_CREATED}  {sentence}", said)

    def test_every_event_type_is_registered(self):
        events = schemas.of(PROTOS / "events")
        self.assertEqual(set(), events.keys() - registered().keys())
        for event, schema in events.items():
            with self.subTest(event):
                self.assertEqual(schema, json.loads(asked(f"/subjects/{event}/versions/latest")["schema"]))
                self.assertEqual({"compatibilityLevel": "BACKWARD_TRANSITIVE"}, asked(f"/config/{event}"))

    def test_registering_again_changes_nothing(self):
        before = registered()
        code, said = call("register")
        self.assertEqual(0, code, said)
        self.assertNotIn("new", said)
        self.assertEqual(before, registered())

    def test_an_optional_property_is_accepted(self):
        code, said = self.changed(lambda payload: payload["properties"].update(note={"type": "string"}))
        self.assertEqual(0, code, said)

    def test_what_breaks_consumers_is_refused_and_named(self):
        def rename(payload):
            payload["properties"]["buyer"] = payload["properties"].pop("userId")
            payload["required"][payload["required"].index("userId")] = "buyer"
        self.check_refused(lambda payload: payload["properties"].pop("userId"), "payload.userId: is gone")
        self.check_refused(rename, "payload.userId: is gone", "payload.buyer: is new and required")
        self.check_refused(lambda payload: payload["properties"]["items"]["items"]["properties"]["qty"].update(type="string"),
                           'payload.items[].qty: `type` was "integer" and is "string"')

    def test_a_refused_schema_is_not_registered_and_neither_is_any_beside_it(self):
        event = f"ecommerce.test.{unique('subject')}.created.v1"
        grown = schemas.of(PROTOS / "events")[ORDER_CREATED]
        self.write(event, grown)
        self.assertEqual(0, call("register", "--folder", str(self.folder))[0])
        grown["properties"]["payload"]["properties"]["note"] = {"type": "string"}
        self.write(event, grown)
        code, said = call("register", "--folder", str(self.folder))
        self.assertEqual(0, code, said)
        self.assertEqual(2, registered()[event])
        del grown["properties"]["payload"]["properties"]["note"], grown["properties"]["payload"]["properties"]["userId"]
        self.write(event, grown)
        other = f"ecommerce.test.{unique('subject')}.created.v1"
        self.write(other, grown)
        code, said = call("register", "--folder", str(self.folder))
        self.assertEqual(1, code, said)
        self.assertIn(f"{event}  payload.userId: is gone", said)
        self.assertEqual(2, registered()[event])
        self.assertNotIn(other, registered())

    def test_a_record_names_its_schema(self):
        shop = Shop()
        self.addCleanup(shop.close)
        sku = shop.product(1.00, stock=1000)["sku"]
        code, said = call("register", "--ids", str(stack.schema_ids()))
        self.assertEqual(0, code, said)

        def named():
            """The relay looks for another file every second."""
            order = shop.must(201, shop.order([(sku, 1)], unique("key")))["orderId"]
            with kafka.Tail(kafka.ORDERS) as tail:
                tail.find(order)
            record = next(record for record in consumer.read_all([kafka.ORDERS]) if record.key == order)
            return record if "__value_schema_id" in record.header else None
        record = wait.until(named, 20, "a record with the id of its schema")
        magic, number = struct.unpack(">bI", dict(record.headers)["__value_schema_id"])
        self.assertEqual(0, magic)
        schema = json.loads(asked(f"/schemas/ids/{number}")["schema"])
        self.assertEqual([], errors(schema, record.json))
        self.assertEqual(record.header["ce_type"], schema["properties"]["eventType"]["const"])

    def test_nothing_that_runs_needs_it(self):
        shop = Shop()
        self.addCleanup(shop.close)
        sku = shop.product(1.00, stock=100)["sku"]
        before = registered()
        with kafka.Tail(kafka.ORDERS, kafka.now()) as tail:
            pid = stack.send_signal("registry", signal.SIGKILL)
            while_away = [shop.must(201, shop.order([(sku, 1)], unique("key")))["orderId"] for _ in range(5)]
            for order in while_away:
                tail.find(order)
            self.assertNotEqual("ready", stack.processes()["registry"]["health"])
            stack.await_restart("registry", pid)
        self.assertEqual(before, registered())


if __name__ == "__main__":
    unittest.main()
