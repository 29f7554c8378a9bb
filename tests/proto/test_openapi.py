"""The OpenAPI document that is checked in: valid, of every REST route and nothing else, with every code that the fleet refuses by."""

import copy
import re
import unittest

import jsonschema_rs
from openapi_spec_validator import OpenAPIV31SpecValidator

from support import contract, generated
from support.contract import ROOT

# Where the answers of REST are decided.
ROOMS = (*(ROOT / "libs" / name for name in ("auth", "base", "egress", "http", "json", "policy", "postgres", "rpc", "service")),
         *(ROOT / "services" / name for name in ("gateway", "product", "cart", "order", "inventory", "payment-adapter", "analytics", "identity", "mailer", "audit-trail",
                                                 "webhook-dispatcher")))
REFUSAL = re.compile(r'(?:StatusCode::k(?!Internal\b|OutOfRange\b)\w+,\s*|\b(?:NotFound|Unavailable|Invalid|Refuse|NotSupported)\(\s*|\.code = )"([A-Z][A-Z_]+)"')
# Codes that no client of REST sees.
AT_START = {"ADDRESS_NOT_AVAILABLE", "ADDRESS_UNKNOWN", "FILE_NOT_FOUND", "INVALID_ROUTE", "KEYS_UNAVAILABLE", "MIGRATION_CHANGED"}
BETWEEN_SERVICES = {"ALREADY_PAID", "CALLER_NOT_ALLOWED", "CONNECTION_LOST", "GATEWAYS_UNAVAILABLE", "MALFORMED_REQUEST", "NO_ANSWER", "NO_CONNECTION", "PAYMENT_MISMATCH",
                    "PAYMENT_OUTCOME_UNKNOWN", "PAYMENT_STATE", "RESERVATION_MISMATCH", "RESERVATION_NOT_COMMITTED", "RESERVATION_NOT_HELD",
                    "SUBSCRIPTIONS_UNKNOWN", "TOO_MANY_PAYMENTS"}
OF_SOCKETS = {"MALFORMED_HANDSHAKE", "TUNNELS_EXHAUSTED", "TUNNEL_UNAVAILABLE", "UPGRADE_REQUIRED"}

# Made of a status alone.
OF_GRPC = {"DEADLINE_EXCEEDED", "UNAVAILABLE"}


def camel(path):
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), path)


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = generated.openapi()
        cls.operations = {(verb, path): operation for path, item in cls.document["paths"].items() for verb, operation in item.items()}

    def check(self, schema, value, where):
        one = jsonschema_rs.Draft202012Validator({**schema, "components": self.document["components"]}, validate_formats=True)
        self.assertEqual([], generated.problems(one, value), where)

    def test_is_an_openapi_document(self):
        OpenAPIV31SpecValidator(self.document).validate()

    def test_a_wrong_one_is_refused(self):
        def refused(change):
            wrong = copy.deepcopy(self.document)
            change(wrong)
            self.assertIsNotNone(next(OpenAPIV31SpecValidator(wrong).iter_errors(), None))
        refused(lambda wrong: wrong["info"].pop("title"))
        refused(lambda wrong: wrong["paths"]["/api/v1/orders"]["post"].update(responses=1))
        refused(lambda wrong: wrong["paths"]["/api/v1/orders/{orderId}"]["get"].update(operationId="createOrder"))
        refused(lambda wrong: wrong["components"]["parameters"]["TenantId"].pop("schema"))

    def test_every_route_is_there(self):
        routes = {(method.http[0].lower(), camel(method.http[1])): method for method in contract.methods() if method.http}
        self.assertGreater(len(routes), 50)
        ours = {(verb, path) for verb, path in self.operations if path.startswith("/api/")}
        self.assertEqual(routes.keys(), ours)
        for place, method in routes.items():
            with self.subTest(place):
                operation = self.operations[place]
                self.assertEqual([role.replace("ROLE_", "") for role in method.access.get("roles", ())], operation["x-roles"])
                self.assertEqual(method.access.get("permission"), operation.get("x-permission"))
                self.assertEqual(method.access.get("public", False), {} in operation.get("security", ()))
                self.assertTrue(operation["description"])

    def test_every_operation_says_how_it_ends(self):
        for place, operation in self.operations.items():
            if not place[1].startswith("/api/"):
                continue
            with self.subTest(place):
                statuses = set(operation["responses"])
                self.assertLessEqual({"400", "401", "403", "429", "500", "503", "504"}, statuses)
                self.assertEqual("requestBody" in operation, {"413", "415", "422"} <= statuses)
                self.assertLessEqual({"304"} if place[0] == "get" else {"409"}, statuses)

    def test_an_idempotency_key_stands_where_the_contract_wants_it(self):
        for method in contract.methods():
            if not method.http:
                continue
            operation = self.operations[method.http[0].lower(), camel(method.http[1])]
            named = {parameter["$ref"].rsplit("/", 1)[1] for parameter in operation["parameters"] if "$ref" in parameter}
            wanted = method.access.get("idempotencyKey", "").replace("IDEMPOTENCY_KEY_", "")
            self.assertEqual({"REQUIRED": {"IdempotencyKey"}, "OPTIONAL": {"IdempotencyKeyOptional"}}.get(wanted, set()),
                             named & {"IdempotencyKey", "IdempotencyKeyOptional"}, method.path)

    def test_examples_are_of_their_schemas(self):
        checked = 0
        for place, operation in self.operations.items():
            bodies = [(f"{place} {status}", answer) for status, answer in operation["responses"].items()]
            if "requestBody" in operation:
                bodies.append((f"{place} request", operation["requestBody"]))
            for where, body in bodies:
                for media in body.get("content", {}).values():
                    if "example" in media:
                        self.check(media["schema"], media["example"], where)
                        checked += 1
        for name, answer in self.document["components"]["responses"].items():
            media = answer["content"]["application/problem+json"]
            self.check(media["schema"], media["example"], name)
        self.assertGreater(checked, 80)

    def test_requests_are_closed_and_bounded(self):
        schemas = self.document["components"]["schemas"]
        order = schemas["CreateOrderRequest"]
        self.assertIs(order["additionalProperties"], False)
        self.assertEqual(["paymentMethod", "shippingAddress", "email"], order["required"])
        self.assertEqual(schemas["AdjustRequest"]["properties"]["reason"]["pattern"], "^[A-Z0-9_]{1,64}$")
        self.assertEqual(schemas["NewOrderItem"]["properties"]["qty"],
                         {"description": "1 to 10,000.", "type": "integer", "format": "int64", "minimum": 1, "maximum": 10000})
        self.assertEqual(["title", "variants"], schemas["CreateProductRequest"]["required"])
        for name, field, rules in (
                ("CreateProductRequest", "title", {"minLength": 1, "maxLength": 200}), ("CreateProductRequest", "variants", {"minItems": 1, "maxItems": 100}),
                ("AdjustRequest", "delta", {"minimum": -10**9, "maximum": 10**9, "not": {"const": 0}}), ("NewVariant", "currency", {"pattern": "^[A-Z]{3}$"}),
                ("CreateOrderRequest", "currency", {"pattern": "^([A-Z]{3})?$"}), ("StockPolicyRequest", "priority", {"minimum": 0, "maximum": 1000}),
                ("SuppressAddressRequest", "reason", {"enum": ["UNSUBSCRIBED", "BOUNCED", "COMPLAINED"]})):
            self.assertEqual(rules, {rule: schemas[name]["properties"][field].get(rule) for rule in rules}, (name, field))
        self.assertNotIn("additionalProperties", schemas["Order"])

    def test_every_code_is_there(self):
        written = set()
        for room in ROOMS:
            for path in (*room.rglob("*.cc"), *room.rglob("*.h")):
                if not path.name.endswith("_test.cc") and "tests" not in path.parts:
                    written.update(REFUSAL.findall(path.read_text(encoding="utf-8")))
        self.assertGreater(len(written), 60)
        unseen = AT_START | BETWEEN_SERVICES | OF_SOCKETS
        said = set(re.findall(r"`([A-Z][A-Z_]+)`", str(self.document)))
        self.assertEqual(set(), written - unseen - said, "\nname them in the method's comment, or in openapi_errors.py")
        self.assertEqual(set(), unseen - written, "\nno longer refused by")
        answers = [self.document["components"]["responses"], *(operation["responses"] for operation in self.operations.values())]
        named = set(re.findall(r"`([A-Z][A-Z_]+)`(?=[:,])", str(answers)))
        self.assertGreater(len(named), 60)
        self.assertEqual(set(), named - written - OF_GRPC, "\nnobody refuses by")


if __name__ == "__main__":
    unittest.main()
