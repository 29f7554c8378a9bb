"""Calls that strangers make up: a tenant's ids, keys, sessions and page tokens in all places of all routes, in every role, with headers, fields and words
that are meant to confuse. No answer may hold anything of the tenant that the stranger has not said itself, nothing of the tenant may change, and nothing may break.

BIVOUAC_CROSS_TENANT_CALLS says how many (default 10,000) and BIVOUAC_SEED which ones; a failure names its seed."""

import concurrent.futures
import copy
import os
import random
import unittest
import urllib.parse

from support import contract, http, stack
from support.owner import Owner, cases, rest_call
from support.shop import Shop, unique

CALLS = int(os.environ.get("BIVOUAC_CROSS_TENANT_CALLS", 10_000))
SEED = os.environ.get("BIVOUAC_SEED") or str(random.randrange(1_000_000))
WORKERS = 4
ROLES = ("CUSTOMER", "STAFF", "ADMIN", None)
# These would shut the stranger out, or take what comes later for done.
LEFT_OUT = {"RevokeTokens", "DropRows"}


def page_tokens(owner):
    """Of the owner's own lists."""
    admin, found = http.Client(owner.shop.token("ADMIN")), []
    for path in ("/api/v1/orders?userId=ada", "/api/v1/products?", "/api/v1/audit/entries?", "/api/v1/staff?"):
        found.append(owner.shop.must(200, admin.get(f"{path}&pageSize=1")).get("nextPageToken"))
    admin.close()
    return [token for token in found if token]


class Stranger:
    """Makes up calls, one after the other, from a seed."""

    def __init__(self, owner, seed):
        self.owner, self.random = owner, random.Random(seed)
        self.shop = Shop()
        self.tokens = {role: self.shop.token(role) for role in ROLES if role}
        self.cases = [(method, request) for method in contract.methods() if method.http and method.name not in LEFT_OUT
                      for request, _ in cases(owner)[method.path]]
        self.loot = sorted({*owner.secrets(), owner.sku, owner.session, owner.key, owner.shop.tenant, owner.clerk["email"], *page_tokens(owner)})

    def twisted(self, text):
        tenant = self.owner.shop.tenant
        return self.random.choice((
            text, text, self.random.choice(self.loot), f"{text}' OR tenant_id = '{tenant}' --", f"{tenant}/{text}", f"../{tenant}/{text}", text.upper(),
            f"{text}\0", f" {text}", text[:-1], f"{text}\u200b", f"{text},{self.random.choice(self.loot)}", "*", "%", ""))

    def mutated(self, value):
        if isinstance(value, dict):
            return {name: self.mutated(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.mutated(part) for part in value] * self.random.choice((1, 1, 1, 2))
        if self.random.random() < 0.6:
            return value
        if isinstance(value, str):
            text = self.twisted(value)
            return self.random.choice((text, text, text, [text], {"eq": text}, None, 0))
        return self.random.choice((value, -1, 2**63, "1", True, None))

    def call(self):
        """(verb, path, body, headers)"""
        method, request = self.random.choice(self.cases)
        request = self.mutated(copy.deepcopy(request))
        tenant = self.owner.shop.tenant
        if self.random.random() < 0.2:
            request[self.random.choice(("tenantId", "tenant", "userId", "pageToken", "storeCode", "fields", "sessionId"))] = (
                self.random.choice([tenant, "ada", "*", *self.loot]))
        verb, path, body = rest_call(method, request)
        headers = {"Idempotency-Key": self.random.choice((unique("key"), unique("key"), self.owner.key)),
                   "X-Tenant-Id": self.random.choice((*[None] * 12, self.shop.tenant, tenant, tenant.upper(), f"{self.shop.tenant},{tenant}", f" {tenant}", "*"))}
        role = self.random.choice(ROLES)
        if role:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
            if self.random.random() < 0.02:
                headers["Authorization"] = f"Bearer {self.tokens[role][:-8]}{self.random.choice(self.loot)}"
        elif headers["X-Tenant-Id"] and headers["X-Tenant-Id"].strip().lower() == tenant:
            # Without a token and with the owner's name one is a visitor of the owner's shop.
            headers["X-Tenant-Id"] = self.shop.tenant
        if self.random.random() < 0.1:
            headers[self.random.choice(("X-Tenant", "X-User-Id", "X-Role", "X-Forwarded-Host", "X-HTTP-Method-Override", "Tenant-Id"))] = (
                self.random.choice((tenant, "ADMIN", "GET", "ada")))
        return verb, urllib.parse.quote(path, safe="/:?&=,*"), body, headers

    def close(self):
        self.shop.close()


def raid(owner, seed, count):
    """What is wrong with the answers: at most ten findings."""
    # What a stranger has said it may be shown: it stores much of it.
    stranger, client, unsaid = Stranger(owner, seed), http.Client(), {*owner.secrets(), owner.hidden}
    statuses, wrong = {}, []
    for _ in range(count):
        verb, path, body, headers = stranger.call()
        answer = client.call(verb, path, body, headers)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        asked = urllib.parse.unquote(path) + repr(body) + repr(headers)
        heard = answer.text + str(answer.headers)
        unsaid -= {secret for secret in unsaid if secret in asked}
        leaked = sorted(secret for secret in unsaid if secret in heard)
        if (leaked or answer.status in (500, 501, 502)) and len(wrong) < 10:
            wrong.append((leaked, verb, path, body, headers, str(answer)))
    client.close()
    stranger.close()
    return statuses, wrong


class CrossTenant(unittest.TestCase):
    def test_what_strangers_make_up(self):
        stack.await_ready()
        owner = Owner()
        self.addCleanup(owner.shop.close)
        before = owner.rows()
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            raids = list(pool.map(lambda worker: raid(owner, f"{SEED}-{worker}", CALLS // WORKERS), range(WORKERS)))
        statuses = {}
        for of_one, wrong in raids:
            self.assertEqual([], wrong, f"BIVOUAC_SEED={SEED}")
            for status, count in of_one.items():
                statuses[status] = statuses.get(status, 0) + count
        print(f"{CALLS:,} calls, seed {SEED}: {dict(sorted(statuses.items()))}", flush=True)
        # Else they did not get far enough to be dangerous.
        for status in (200, 403, 404, 422):
            self.assertGreater(statuses.get(status, 0), CALLS // 200, statuses)
        self.assertEqual(before, owner.rows(), f"something of the owner was changed; BIVOUAC_SEED={SEED}")


if __name__ == "__main__":
    unittest.main()
