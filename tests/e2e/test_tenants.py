"""Two tenants with the same people in them. Every call of the contract is tried across the border; a new call fails this suite
until it has a case here. Below the services, row-level security holds for raw SQL under each service's own role."""

import json
import unittest

from support import contract, grpc, postgres, stack, wait
from support.owner import Owner, cases, rest_call
from support.shop import Shop, unique

OWNERS = {"product": "product", "cart": "cart", "orders": "order", "inventory": "inventory", "payment": "payment",
          "analytics": "analytics", "replay": "replay", "mail": "mail", "audit": "audit", "identity": "identity", "webhook": "webhook"}  # schema → role
SILENT = {"analytics", "replay", "audit"}  # announce nothing, and have no right to
# Tables whose rows nobody changes, whatever the policy.
APPEND_ONLY = {"audit.audit_entry"}
# Tables that hold ids of tenants and nothing of theirs, for jobs that have to know for whom to look.
REGISTERS = {"cart.cart_tenant"}
# Tables that belong to no tenant: how far the read models have come, and what operators asked for.
OF_NOBODY = {"analytics.projection", "analytics.projection_position", "analytics.projection_event", "replay.replay"}
ROLES = ("CUSTOMER", "STAFF", "ADMIN", "SERVICE", "OPERATOR")


class Border(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.owner = Owner()
        cls.addClassCleanup(cls.owner.shop.close)
        cls.before = cls.owner.rows()
        cls.cases = cases(cls.owner)

    def tearDown(self):
        self.assertEqual(self.before, self.owner.rows(), "something of the owner was changed")

    def role_for(self, method):
        """The mightiest of the roles that may call, a person's if there is one; any where everybody may."""
        roles = [role.replace("ROLE_", "") for role in method.access.get("roles", ["ROLE_ADMIN"])]
        return next((role for role in reversed(roles) if role != "SERVICE"), "SERVICE")

    def user_for(self, method):
        """The `sub` of its token: in the role SERVICE, a service that the contract names."""
        return method.access["callers"][0] if self.role_for(method) == "SERVICE" else "ada"

    def assert_holds_no_secret(self, answer, request):
        text = json.dumps(answer)
        leaked = {secret for secret in self.owner.secrets() if secret in text and secret not in json.dumps(request)}
        self.assertEqual(set(), leaked, text)

    def test_every_method_has_a_case(self):
        self.assertEqual({method.path for method in contract.methods()}, set(self.cases))

    def test_the_owner_sees_it(self):
        # Else the tests below would pass for an empty shop.
        for path in (f"/api/v1/orders/{self.owner.order['orderId']}", f"/api/v1/carts/{self.owner.cart['cartId']}"):
            self.assertEqual(self.owner.shop.customer.get(path).status, 200)
        self.assertTrue(all(self.before[table] for table in ("orders.orders", "cart.cart", "inventory.inventory_stock")), self.before)

    def stranger_for(self, method):
        """A shop of another tenant, logged in with the most that `method` admits."""
        stranger = Shop()
        self.addCleanup(stranger.close)
        stranger.customer.token = stranger.token(self.role_for(method), self.user_for(method))
        if method.name == "SetItem":
            stranger.product(sku=self.owner.sku)  # else the SKU is refused before anybody looks at the cart
        return stranger

    def test_grpc(self):
        for method in contract.methods():
            stranger = self.stranger_for(method)
            for request, code in self.cases[method.path]:
                with self.subTest(f"{method.path} {json.dumps(request)[:60]}"):
                    answer = grpc.call(method.context, method.path, request, stranger.customer.token)
                    self.assertEqual(answer.code, code, answer)
                    self.assert_holds_no_secret([answer.json, answer.details, answer.message], request)

    def test_rest(self):
        statuses = {"OK": (200, 201), "NOT_FOUND": (404,), "FAILED_PRECONDITION": (409,), "INVALID_ARGUMENT": (422,)}
        for method in contract.methods():
            if not method.http:
                continue
            stranger = self.stranger_for(method)
            for request, code in self.cases[method.path]:
                verb, path, body = rest_call(method, request)
                with self.subTest(f"{verb} {path}"):
                    answer = stranger.customer.call(verb, path, body, headers={"Idempotency-Key": unique("key")})
                    self.assertIn(answer.status, statuses[code], answer)
                    self.assert_holds_no_secret(answer.text, [path, body])

    def test_a_token_of_another_tenant(self):
        for method in contract.methods():
            request = self.cases[method.path][0][0]
            with self.subTest(method.path):
                token = stack.token(self.role_for(method), unique("stranger"), self.user_for(method))
                answer = grpc.call(method.context, method.path, request, token, x_tenant_id=self.owner.shop.tenant)
                self.assertEqual((answer.code, answer.reason), ("PERMISSION_DENIED", "TENANT_MISMATCH"), answer)

    def test_no_token(self):
        for method in contract.methods():
            with self.subTest(method.path):
                answer = grpc.call(method.context, method.path, self.cases[method.path][0][0], x_tenant_id=unique("stranger"))
                if method.access.get("public"):
                    self.assertIn(answer.code, ("OK", "NOT_FOUND"), answer)
                    self.assert_holds_no_secret([answer.json, answer.message], self.cases[method.path][0][0])
                else:
                    self.assertEqual(answer.code, "UNAUTHENTICATED", answer)

    def test_roles(self):
        for method in contract.methods():
            allowed = {role.replace("ROLE_", "") for role in method.access.get("roles", [])}
            # What is public is so within a tenant.
            refused = {"OPERATOR"} if method.access.get("public") else set(ROLES) - allowed
            for role in refused:
                with self.subTest(f"{method.path} {role}"):
                    answer = grpc.call(method.context, method.path, self.cases[method.path][0][0], self.owner.shop.token(role))
                    self.assertEqual((answer.code, answer.reason), ("PERMISSION_DENIED", "ROLE_NOT_ALLOWED"), answer)
                    if method.http:
                        verb, path, body = rest_call(method, self.cases[method.path][0][0])
                        rest = self.owner.shop.customer.call(verb, path, body, headers={
                            "Authorization": f"Bearer {self.owner.shop.token(role)}"})
                        self.assertEqual((rest.status, rest.json["code"]), (403, "ROLE_NOT_ALLOWED"), rest)


def _followed(tenant):
    """Whether the read models have all of the owner's orders, the revenue, and the stock as it is, and the audit trail all that was done."""
    return postgres.value(f"""
        SELECT (SELECT count(*) FROM analytics.orders_by_customer WHERE tenant_id = '{tenant}' AND status IN ('PENDING', 'FULFILLED'))
               = (SELECT count(*) FROM orders.orders WHERE tenant_id = '{tenant}')
           AND (SELECT count(*) FROM audit.audit_entry WHERE tenant_id = '{tenant}')
               = (SELECT count(*) FROM outbox.event WHERE tenant_id = '{tenant}' AND type = 'ecommerce.audit.entry.recorded.v1')
           AND (SELECT count(*) FROM analytics.revenue_by_minute WHERE tenant_id = '{tenant}') = 1
           AND (SELECT max(stock_version) FROM analytics.inventory_snapshot WHERE tenant_id = '{tenant}')
               = (SELECT max(version) FROM inventory.inventory_stock WHERE tenant_id = '{tenant}')""")


class RawSql(unittest.TestCase):
    """As somebody who got hold of a service's connection: psql, logged in as the service's role."""

    @classmethod
    def setUpClass(cls):
        cls.here, cls.there = Owner(), Owner()
        cls.addClassCleanup(cls.here.shop.close)
        cls.addClassCleanup(cls.there.shop.close)
        cls.tables = {row["name"]: row["owner"] for row in postgres.rows(postgres.TABLES)}
        for owner in (cls.here, cls.there):
            wait.until(lambda o=owner: _followed(o.shop.tenant), what="analytics has the owner's orders")

    def of_services(self):
        """(table, role) of every table that keeps something of a tenant, but for the outbox."""
        found = [(table, OWNERS[table.split(".")[0]]) for table in self.tables
                 if not table.startswith("outbox.") and table not in REGISTERS]
        self.assertGreater(len(found), 10)
        return found

    def scalar(self, role, tenant, sql):
        """One value in a transaction of a tenant (None: of none)."""
        prefix = f"SET bv.tenants = '{tenant}';" if tenant else ""
        return postgres.execute(f"{prefix} {sql}", role)

    def test_every_table_is_its_services_own(self):
        for table, role in self.of_services():
            with self.subTest(table):
                self.assertEqual(self.tables[table], f"bv_{role}")

    def test_policies_are_on_and_forced(self):
        off = postgres.rows("""
            SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('product', 'cart', 'orders', 'inventory', 'payment', 'analytics', 'replay', 'webhook', 'mail', 'audit', 'identity')
              AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE '%migration%' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)""")
        self.assertEqual(set(), {row["name"] for row in off} - REGISTERS - OF_NOBODY)

    def test_registers_hold_nothing_but_ids(self):
        for table in REGISTERS:
            with self.subTest(table):
                self.assertEqual([{"attname": "tenant_id"}], postgres.rows(
                    f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"))

    def test_roles_cannot_bypass(self):
        self.assertEqual([], postgres.rows(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'bv\\_%' AND (rolsuper OR rolbypassrls OR rolcreaterole)"))

    def test_reads(self):
        here, there = self.here.shop.tenant, self.there.shop.tenant
        for table, role in self.of_services():
            with self.subTest(table):
                count = f"SELECT count(*) FROM {table}"
                self.assertEqual(self.scalar(role, None, count), "0", "seen without a tenant")
                self.assertEqual(self.scalar(role, here, f"{count} WHERE tenant_id <> '{here}'"), "0", "another tenant is seen")
                self.assertEqual(self.scalar(role, here, f"{count} WHERE tenant_id = '{there}'"), "0")
                stored = postgres.value(f"{count} WHERE tenant_id = '{here}'")
                self.assertEqual(int(self.scalar(role, here, count)), stored)

    def test_the_owners_have_rows_in_nearly_every_table(self):
        counts = postgres.row_counts(self.here.shop.tenant)
        empty = {table for table, _ in self.of_services() if not counts[table]}
        # What an order has begun goes when it is done; and nobody is sent anything here.
        self.assertLessEqual(empty, {"orders.order_process", "webhook.webhook_delivery_attempts"})

    def test_writes(self):
        here, there = self.here.shop.tenant, self.there.shop.tenant
        for table, role in self.of_services():
            if not postgres.row_counts(here)[table]:
                continue
            if table in APPEND_ONLY:
                with self.subTest(table), self.assertRaisesRegex(postgres.SqlError, "permission denied"):
                    self.scalar(role, here, f"UPDATE {table} SET tenant_id = '{there}'")
                continue
            with self.subTest(table):
                touched = self.scalar(role, here, f"WITH u AS (UPDATE {table} SET tenant_id = tenant_id RETURNING tenant_id) "
                                      f"SELECT count(*) FROM u WHERE tenant_id <> '{here}'")
                self.assertEqual(touched, "0", "rows of another tenant were written")
                # A trigger may refuse the change before the policy is asked.
                with self.assertRaisesRegex(postgres.SqlError, "row-level security|is not changed"):
                    self.scalar(role, here, f"UPDATE {table} SET tenant_id = '{there}'")

    def test_the_outbox_takes_own_events_only_and_shows_none(self):
        here, there = self.here.shop.tenant, self.there.shop.tenant
        insert = ("INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload) "
                  "VALUES ('{}', gen_random_uuid(), 'ecommerce.order.order', 'x', 'x.v1', '{{}}')")
        for role in OWNERS.values():
            why = "permission denied" if role in SILENT else "row-level security"
            with self.subTest(role):
                with self.assertRaisesRegex(postgres.SqlError, why):
                    self.scalar(role, here, insert.format(there))
                with self.assertRaisesRegex(postgres.SqlError, why):
                    self.scalar(role, None, insert.format(here))
                for refused in ("SELECT count(*) FROM outbox.event", "DELETE FROM outbox.event", "UPDATE outbox.event SET type = 'y'"):
                    with self.assertRaisesRegex(postgres.SqlError, "permission denied"):
                        self.scalar(role, here, refused)

    def test_a_service_cannot_reach_the_tables_of_another(self):
        for role in OWNERS.values():
            for table, owner in self.of_services():
                if owner != role:
                    with self.subTest(f"{role} on {table}"):
                        with self.assertRaisesRegex(postgres.SqlError, "permission denied"):
                            self.scalar(role, self.here.shop.tenant, f"SELECT count(*) FROM {table}")


if __name__ == "__main__":
    unittest.main()
