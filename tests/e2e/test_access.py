"""Every RPC of every service, called as everybody: whether the call is let through is what the table of access says (protos/access.md).

What a call that is let through then answers does not matter here: the requests are empty."""

import base64
import json
import os
import pathlib
import unittest

from support import access, contract, grpc, http, stack, wait
from support.shop import unique

# Reasons of refusal for who calls; a handler has others.
REFUSED = ("TOKEN_MISSING", "ROLE_NOT_ALLOWED", "CALLER_NOT_ALLOWED", "TENANT_MISMATCH")
STRANGER = "stranger-service"


def callers(tenant):
    """{who: token}."""
    tokens = {access.NOBODY: None}
    tokens.update({role: stack.token(role, tenant, f"access-{role.lower()}") for role in access.ROLES})
    tokens.update({subject: stack.token("SERVICE", tenant, subject) for subject in (*sorted(contract.SUBJECTS), STRANGER)})
    return tokens


def call_all(tokens, headers):
    """{(method, who): (code, reason)} of an empty call of each method by each of them."""
    found = {}
    by_service = {}
    for method in contract.methods():
        by_service.setdefault(method.context, []).append(method.path)
    for service, paths in by_service.items():
        cases = [(path, who) for path in paths for who in tokens]
        answers = grpc.many(service, [(path, {**headers, **({"authorization": f"Bearer {tokens[who]}"} if tokens[who] else {})})
                                      for path, who in cases])
        found.update(zip(cases, answers, strict=True))
    return found


def is_let_in(who, allowed):
    return who in allowed or (access.SERVICE in allowed and (who in contract.SUBJECTS or who == STRANGER))


class EveryCallAsEverybody(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tenant = unique("access")

    def test_is_as_the_table_says(self):
        table = access.table()
        # An operator has no tenant, nor may anybody name one for them.
        answers = call_all({who: token for who, token in callers(self.tenant).items() if who != "OPERATOR"}, {"x-tenant-id": self.tenant})
        answers.update(call_all({"OPERATOR": callers(self.tenant)["OPERATOR"]}, {}))
        self.assertEqual(len(answers), len(contract.methods()) * (len(access.ROLES) + len(contract.SUBJECTS) + 2))
        for (path, who), (code, reason) in answers.items():
            with self.subTest(f"{path} as {who}"):
                self.assertNotIn(code, ("UNIMPLEMENTED", "UNAVAILABLE", "INTERNAL", "UNKNOWN"), "no answer of the method")
                refused = reason in REFUSED
                self.assertEqual(not refused, is_let_in(who, table[path]), (code, reason))
                if refused:
                    self.assertEqual(code, "UNAUTHENTICATED" if who == access.NOBODY else "PERMISSION_DENIED")

    def test_nobody_is_let_into_another_tenant(self):
        tokens = callers(self.tenant)
        del tokens[access.NOBODY]
        for (path, who), answer in call_all(tokens, {"x-tenant-id": unique("other")}).items():
            with self.subTest(f"{path} as {who}"):
                self.assertEqual(answer, ("PERMISSION_DENIED", "TENANT_MISMATCH"))

    def test_a_bad_token_is_worse_than_none(self):
        # What is public is refused, too: whoever shows a token wants to be known.
        tokens = {"expired": stack.token("ADMIN", self.tenant, lifetime=-3600), "forged": stack.token("ADMIN", self.tenant, key=b"x" * 32),
                  "of no role": stack.token("ROOT", self.tenant), "of no tenant": stack.token("ADMIN", tenant=None)}
        for (path, who), (code, _) in call_all(tokens, {}).items():
            with self.subTest(f"{path} with a token that is {who}"):
                self.assertEqual(code, "UNAUTHENTICATED")


class Rotation(unittest.TestCase):
    """The keys of tokens change while everything runs."""

    def setUp(self):
        self.file = pathlib.Path(stack.env("BV_JWKS_FILE"))
        self.before = self.file.read_text(encoding="utf-8")
        self.addCleanup(self.write, self.before)

    def write(self, text):
        new = self.file.with_name(".jwks.json.rotation")
        new.touch(mode=0o600)
        new.write_text(text, encoding="utf-8")
        new.rename(self.file)

    def answers(self, token):
        """Of gateway and services, each of which checks for itself."""
        client = http.Client(token)
        self.addCleanup(client.close)
        rest = client.get("/api/v1/orders").status
        return rest, {code for code, _ in call_all({"ADMIN": token}, {}).values()}

    def test_a_new_key_is_taken_and_an_old_one_forgotten_without_a_restart(self):
        pids = stack.pids()
        secret = os.urandom(32)
        key = {"kty": "oct", "kid": unique("kid"), "alg": "HS256", "k": base64.urlsafe_b64encode(secret).decode().rstrip("=")}
        token = stack.token("ADMIN", unique("rotation"), key=secret, header={"kid": key["kid"]})
        keys = json.loads(self.before)["keys"]
        rest, codes = self.answers(token)
        self.assertEqual((rest, codes), (401, {"UNAUTHENTICATED"}), "the key is not known yet")
        self.write(json.dumps({"keys": [*keys, key]}))
        rest, codes = self.answers(token)
        self.assertEqual(rest, 200)
        self.assertNotIn("UNAUTHENTICATED", codes)
        self.write(self.before)
        # It was remembered everywhere.
        wait.until(lambda: self.answers(token) == (401, {"UNAUTHENTICATED"}), within=10, what="the old key forgotten")
        self.assertEqual(pids, stack.pids(), "something was started again")


if __name__ == "__main__":
    unittest.main()
