"""The contract: linted, compatible with what was published, and complete where code relies on it."""

import json
import pathlib
import re
import tempfile
import unittest

from support import contract


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

    def test_only_reads_are_public(self):
        for method in contract.methods():
            if method.access and method.access.get("public"):
                with self.subTest(method.path):
                    self.assertRegex(method.name, r"^(Get|List|Query|Search)")
                    self.assertIn(method.http and method.http[0], (None, "GET"))

    def test_a_route_is_served_once(self):
        routes = [(method.http[0], re.sub(r"\{[^}]*\}", "{}", method.http[1])) for method in contract.methods() if method.http]
        self.assertEqual(sorted(set(routes)), sorted(routes))

    def test_every_method_tells_its_errors(self):
        for file in contract.PROTOS.rglob("service.proto"):
            text = file.read_text(encoding="utf-8")
            for rpc in re.finditer(r"(?P<comment>(?:^ *//.*\n)*)^  rpc (?P<name>\w+)\(", text, re.MULTILINE):
                with self.subTest(f"{file.relative_to(contract.PROTOS)} {rpc['name']}"):
                    self.assertTrue(rpc["comment"], "the call has no comment")


if __name__ == "__main__":
    unittest.main()
