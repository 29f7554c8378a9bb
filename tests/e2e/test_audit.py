"""Who did what: entries follow from the change over the public API, nobody else reads them, and what is done to them afterwards is found."""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

from support import crash, http, postgres, stack, wait
from support.shop import Shop, unique

ENTRIES = "/api/v1/audit/entries"


class Audit(unittest.TestCase):
    def setUp(self):
        stack.await_ready()
        self.shop = Shop()
        self.addCleanup(self.shop.close)
        self.admin = http.Client(self.shop.token("ADMIN", "root"))
        self.addCleanup(self.admin.close)
        self.product = self.shop.product(25.00)
        self.sku = self.product["sku"]

    def set_price(self, price, client=None, status=200, **headers):
        path = f"/api/v1/price-overrides/{self.sku}"
        return self.shop.must(status, (client or self.admin).call("PUT", path, {"price": price, "currency": "USD"}, headers=headers))

    def entries(self, **filters):
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return self.shop.must(200, self.admin.get(f"{ENTRIES}?{query}"))["entries"]

    def await_entries(self, count, **filters):
        wait.until(lambda: len(self.entries(**filters)) >= count, what=f"{count} entries")
        return self.entries(**filters)

    def verify(self, *more):
        """(exit code, the tenant's result)."""
        done = subprocess.run([sys.executable, "-B", str(stack.BV), "audit", "verify", "--json", "--stack", stack.env("BV_STACK"), "--tenant",
                               self.shop.tenant, *more], capture_output=True, text=True, check=False, timeout=60)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        (result,) = json.loads(done.stdout)
        return done.returncode, result

    def defect(self, *more):
        """(number, kind) as `tools/bv` says it; None for a good chain."""
        code, result = self.verify(*more)
        self.assertEqual(code, 1 if result["defect"] else 0)
        return result["defect"] and (result["defect"]["number"], result["defect"]["kind"])

    def tamper(self, sql):
        postgres.execute(f"SET session_replication_role = replica; {sql} tenant_id = '{self.shop.tenant}'")

    def test_a_price_that_was_changed(self):
        self.set_price(20.00)
        correlation = unique("corr")
        self.set_price(19.99, **{"Correlation-Id": correlation})
        second, first = self.await_entries(2, objectId=self.sku, action="price.override_set")
        self.assertEqual((second["actor"], second["role"], second["outcome"], second["objectType"], second["correlationId"]),
                         ("root", "ADMIN", "DONE", "price", correlation))
        self.assertEqual((first["before"], json.loads(first["after"])["price"]), ("", 20.00))
        self.assertEqual((json.loads(second["before"])["price"], json.loads(second["after"])["price"]), (20.00, 19.99))
        self.assertEqual(second["previousHash"], first["hash"])
        self.assertEqual(["sam"], [entry["actor"] for entry in self.await_entries(1, objectId=self.product["productId"])])

    def test_nothing_is_recorded_that_was_not_done(self):
        self.set_price(20.00, client=self.shop.staff, status=403)
        self.shop.must(422, self.admin.call("PUT", f"/api/v1/price-overrides/{self.sku}", {"price": 1.00, "currency": "EUR"}))
        self.set_price(20.00)
        self.assertEqual(1, len(self.await_entries(1, objectId=self.sku)))

    def test_mails_are_recorded_without_addresses(self):
        address = f"{unique('ada')}@example.com"
        self.shop.must(200, self.admin.call("PUT", "/api/v1/mail/sender", {"email": "shop@example.com", "name": "Shop"}))
        for _ in range(2):
            self.shop.must(200, self.shop.staff.post("/api/v1/mail/addresses/suppress", {"email": address, "reason": "BOUNCED"}))
        self.shop.must(200, self.shop.staff.post("/api/v1/mail/addresses/allow", {"email": address}))
        self.await_entries(1, action="mail_address.allowed")
        found = self.entries(pageSize=100)
        self.assertNotIn(address, json.dumps(found))
        self.assertEqual(["mail_address.allowed", "mail_address.suppressed", "mail_sender.set"],
                         [entry["action"] for entry in found if entry["action"].startswith("mail")])

    def test_who_may_read(self):
        for client in (self.shop.staff, self.shop.customer):
            self.assertEqual(403, client.get(ENTRIES).status)
        self.assertEqual(401, http.Client().get(ENTRIES).status)

    def test_a_good_chain(self):
        for price in (20.00, 19.00, 18.00):
            self.set_price(price)
        self.await_entries(3, action="price.override_set")
        self.assertIsNone(self.defect())
        answer = self.shop.must(200, self.admin.get("/api/v1/audit/verification"))
        self.assertEqual((answer["checked"], answer["lastNumber"], answer["headNumber"]), (4, 4, 4))
        self.assertNotIn("firstDefect", answer)
        self.assertEqual(answer["lastHash"], self.verify()[1]["hash"])

    def test_tampering_is_found(self):
        for price in (20.00, 19.00, 18.00):
            self.set_price(price)
        self.await_entries(3, action="price.override_set")
        with tempfile.TemporaryDirectory() as folder:
            heads = pathlib.Path(folder, "heads")
            heads.write_text(json.dumps({"chain": self.shop.tenant, "number": 4, "hash": self.verify()[1]["hash"]}), encoding="utf-8")
            self.tamper("UPDATE audit.audit_entry SET actor = 'mallory' WHERE number = 2 AND")
            self.assertEqual((2, "CHANGED"), self.defect())
            self.assertEqual({"number": 2, "kind": "CHANGED"},
                             self.shop.must(200, self.admin.get("/api/v1/audit/verification"))["firstDefect"])
            self.tamper("UPDATE audit.audit_entry SET actor = 'root' WHERE number = 2 AND")
            self.assertIsNone(self.defect("--head", str(heads)))
            self.tamper("DELETE FROM audit.audit_entry WHERE number = 4 AND")
            self.assertEqual((4, "CUT_OFF"), self.defect())
            # Whoever sets the end back as well is found by what was noted elsewhere.
            self.tamper(f"UPDATE audit.audit_chain SET number = 3, hash = (SELECT hash FROM audit.audit_entry WHERE number = 3 AND tenant_id = "
                        f"'{self.shop.tenant}') WHERE")
            self.assertIsNone(self.defect())
            self.assertEqual((4, "CUT_OFF"), self.defect("--head", str(heads)))
            self.tamper("DELETE FROM audit.audit_entry WHERE number = 2 AND")
            self.assertEqual((2, "MISSING"), self.defect())

    def test_it_is_killed_and_loses_nothing(self):
        self.addCleanup(stack.await_ready)
        self.addCleanup(crash.disarm)
        for point in ("audit-trail.entries.written", "audit-trail.entries.chained"):
            with self.subTest(point):
                pid = stack.pids()["audit-trail"]
                crash.arm(point)
                self.set_price(20.00)
                wait.until(lambda: not crash.armed(), what=f"a crash at {point}")
                stack.await_restart("audit-trail", pid)
        stack.await_restart("audit-trail", stack.send_signal("audit-trail", signal.SIGKILL))
        self.set_price(10.00)
        # Of the table: the gateway may have to find its way to the new process first.
        count = f"SELECT count(*) FROM audit.audit_entry WHERE tenant_id = '{self.shop.tenant}' AND action = 'price.override_set'"
        wait.until(lambda: postgres.value(count) >= 3, what="3 entries")
        self.assertEqual(3, postgres.value(count))
        self.assertIsNone(self.defect())


if __name__ == "__main__":
    unittest.main()
