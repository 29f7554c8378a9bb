import base64
import hashlib
import hmac
import json
import pathlib
import stat
import tempfile
import time
import unittest

import context  # noqa: F401
from bvtool import credentials, postgres
from bvtool.console import Failure
from bvtool.layout import Stack


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class CredentialsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.stack = Stack("unit", pathlib.Path(folder.name))

    def test_a_token_carries_the_claims_and_the_keys_signature(self):
        credentials.create(self.stack)
        header, claims, signature = credentials.token(self.stack, "STAFF", "acme", "u-1", 60).split(".")
        (key,) = json.loads(self.stack.jwks.read_text())["keys"]
        expected = hmac.new(decoded(key["k"]), f"{header}.{claims}".encode(), hashlib.sha256).digest()
        self.assertEqual(decoded(signature), expected)
        self.assertEqual(json.loads(decoded(header)), {"alg": "HS256", "typ": "JWT", "kid": "dev"})
        found = json.loads(decoded(claims))
        self.assertEqual({k: found[k] for k in ("iss", "aud", "sub", "tenant", "role")},
                         {"iss": "https://issuer.bivouac.dev", "aud": "bivouac", "sub": "u-1", "tenant": "acme", "role": "STAFF"})
        self.assertAlmostEqual(found["exp"], time.time() + 60, delta=5)
        self.assertLessEqual(found["iat"], time.time())

    def test_an_operators_token_is_of_no_tenant(self):
        credentials.create(self.stack)
        claims = json.loads(decoded(credentials.token(self.stack, "OPERATOR").split(".")[1]))
        self.assertEqual((claims["role"], claims.get("tenant")), ("OPERATOR", None))

    def test_a_negative_lifetime_makes_an_expired_token(self):
        credentials.create(self.stack)
        claims = json.loads(decoded(credentials.token(self.stack, "ADMIN", lifetime=-60).split(".")[1]))
        self.assertLess(claims["exp"], time.time())
        self.assertLessEqual(claims["iat"], claims["exp"])

    def test_secrets_are_made_once_and_for_their_owner_only(self):
        credentials.create(self.stack)
        before = credentials.passwords(self.stack)
        credentials.create(self.stack)
        self.assertEqual(credentials.passwords(self.stack), before)
        self.assertEqual(len(set(before.values())), 1 + len(postgres.ROLES))
        self.assertEqual(stat.S_IMODE(self.stack.secrets.stat().st_mode), 0o700)
        for file in [*self.stack.secrets.iterdir(), self.stack.jwks]:
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600, file)

    def test_without_a_key_the_failure_says_what_makes_one(self):
        with self.assertRaisesRegex(Failure, "tools/bv up"):
            credentials.token(self.stack, "STAFF")


if __name__ == "__main__":
    unittest.main()
