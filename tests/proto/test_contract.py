"""The contract: linted, compatible with what was published, and complete where code relies on it."""

import json
import pathlib
import re
import tempfile
import unittest

from support import contract, generated


class Contract(unittest.TestCase):
    def test_is_linted(self):
        self.assertEqual(contract.lint(), "")

    def test_breaks_nothing_that_was_published(self):
        self.assertEqual(contract.breaking(), "", "\nAdd instead of changing, or begin a v2; see protos/README.md.")

    def test_a_removed_field_would_be_noticed(self):
        published = json.loads(contract.BASELINE.read_text(encoding="utf-8"))
        order = next(file for file in published["file"] if file["name"] == "commerce/order/v1/service.proto")
        message = next(message for message in order["messageType"] if message["name"] == "Order")
        message["field"].append({"name": "gone", "number": 999, "label": "LABEL_OPTIONAL", "type": "TYPE_STRING", "jsonName": "gone"})
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(published, file)
            file.flush()
            self.assertIn('"999" with name "gone"', contract.breaking(pathlib.Path(file.name)))

    def test_every_published_service_is_compared(self):
        """A message that a method takes, a type, a method and a service: buf names each of them."""
        published = json.loads(contract.BASELINE.read_text(encoding="utf-8"))
        services = [(file, service) for file in published["file"] for service in file.get("service", [])]
        self.assertGreater(len(services), 3)
        for file, service in services:
            service["method"].append({**service["method"][0], "name": "Gone"})
        file, service = services[-1]
        file["service"].append({**service, "name": "GoneToo"})
        with tempfile.NamedTemporaryFile("w", suffix=".json") as changed:
            json.dump(published, changed)
            changed.flush()
            found = contract.breaking(pathlib.Path(changed.name))
        for _, service in services:
            self.assertIn(f'Previously present RPC "Gone" on service "{service["name"]}" was deleted', found)
        self.assertIn('"GoneToo"', found)

    def test_published_routes_are_served_to_whom_they_were(self):
        self.assertEqual([], contract.broken_routes(contract.published_methods()))

    def test_a_lost_route_would_be_noticed(self):
        order = next(method for method in contract.published_methods() if method.name == "GetOrder")
        for changed, word in ((order._replace(http=("GET", "/api/v1/order/{order_id}")), "was"),
                              (order._replace(name="ReadOrder"), "None"),
                              (order._replace(access={**order.access, "roles": ["ROLE_NONE"]}), "ROLE_NONE"),
                              (order._replace(access={**order.access, "public": True}), "the public")):
            (line,) = contract.broken_routes([changed])
            self.assertIn(word, line)

    def test_version_is_one(self):
        version = (contract.PROTOS / "VERSION").read_text(encoding="utf-8")
        self.assertRegex(version, r"\A\d+\.\d+\n\Z")

    def test_a_request_message_belongs_to_one_method(self):
        users = {}
        for method in contract.methods():
            users.setdefault(method.request, []).append(method.path)
        self.assertEqual({}, {message: paths for message, paths in users.items() if len(paths) > 1})

    def test_every_method_says_who_may_call_it(self):
        for method in contract.methods():
            with self.subTest(method.path):
                self.assertIsNotNone(method.access, "option (commerce.common.v1.access) is missing")
                self.assertTrue(method.access.get("roles") or method.access.get("public"), "nobody may call it")

    def test_a_method_for_services_names_them(self):
        for method in contract.methods():
            with self.subTest(method.path):
                callers = (method.access or {}).get("callers", [])
                self.assertEqual("ROLE_SERVICE" in (method.access or {}).get("roles", []), bool(callers))
                # As the services call themselves (auth::ServiceTokens::Create).
                self.assertLessEqual(set(callers), contract.SUBJECTS)

    def test_the_services_that_sign_are_the_known_ones(self):
        sources = contract.ROOT.glob("services/*/*.cc")
        named = {name for path in sources for name in re.findall(r'ServiceTokens::Create\(\s*"([^"]+)"', path.read_text(encoding="utf-8"))}
        self.assertEqual(contract.SUBJECTS, named)

    def test_only_reads_are_public(self):
        for method in contract.methods():
            if method.access and method.access.get("public"):
                with self.subTest(method.path):
                    self.assertRegex(method.name, r"^(Get|BatchGet|List|Query|Search)")
                    self.assertIn(method.http and method.http[0], (None, "GET"))

    def test_what_operators_may_call_is_theirs_alone(self):
        # They have no tenant, so nobody who has one may call the same.
        for method in contract.methods():
            roles = (method.access or {}).get("roles", [])
            if "ROLE_OPERATOR" in roles:
                with self.subTest(method.path):
                    self.assertEqual(["ROLE_OPERATOR"], roles)
                    self.assertFalse(method.access.get("public"))

    def test_a_route_is_served_once(self):
        routes = [(method.http[0], re.sub(r"\{[^}]*\}", "{}", method.http[1])) for method in contract.methods() if method.http]
        self.assertEqual(sorted(set(routes)), sorted(routes))

    def test_every_method_tells_its_errors(self):
        for file in contract.PROTOS.rglob("service.proto"):
            text = file.read_text(encoding="utf-8")
            for rpc in re.finditer(r"(?P<comment>(?:^ *//.*\n)*)^  rpc (?P<name>\w+)\(", text, re.MULTILINE):
                with self.subTest(f"{file.relative_to(contract.PROTOS)} {rpc['name']}"):
                    self.assertTrue(rpc["comment"], "the call has no comment")

    def test_the_types_of_events_are_unique(self):
        types = [event.type for event in generated.protos().events()]
        self.assertGreater(len(types), 10)
        self.assertEqual(sorted(set(types)), types)

    def test_an_event_says_what_it_is(self):
        for event in generated.protos().events():
            with self.subTest(event.message.name):
                context, name = re.fullmatch(r"commerce\.(\w+)\.v\d+\.(\w+)", event.message.name).groups()
                self.assertRegex(event.type, rf"^ecommerce\.{context}\.[a-z_]+\.[a-z_]+\.v[1-9]\d*$")
                self.assertRegex(event.producer, r"^[a-z]+(-[a-z]+)+$")
                self.assertRegex(event.schema_version, r"^[1-9]\d*\.\d+$")
                self.assertEqual(event.type.rsplit(".v")[1], event.schema_version.split(".")[0], "the major version of type and schema")
                self.assertTrue(event.message.comment, "the message has no comment")

    def test_the_key_of_an_event_is_a_string_that_is_always_there(self):
        for event in generated.protos().events():
            with self.subTest(event.message.name):
                (key,) = [field for field in event.message.fields if field.name == event.key]
                self.assertEqual((key.kind, key.always_written, key.repeated), ("TYPE_STRING", True, False))

    def test_events_of_a_topic_have_one_key(self):
        keys = {}
        for event in generated.protos().events():
            keys.setdefault(event.topic, set()).add(event.key)
        self.assertEqual({}, {topic: names for topic, names in keys.items() if len(names) > 1})

    def test_what_a_service_of_the_fleet_writes_has_a_topic(self):
        topics = {topic["name"] for topic in generated.topics()}
        services = {path.name for path in (contract.ROOT / "services").iterdir()}
        for event in generated.protos().events():
            if services & {event.producer, event.producer.removesuffix("-service")}:
                with self.subTest(event.type):
                    self.assertIn(event.topic, topics, "add it to deploy/kafka/topics.yaml")


if __name__ == "__main__":
    unittest.main()
