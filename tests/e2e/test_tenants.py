"""Two tenants with the same people in them. Every call of the contract is tried across the border; a new call fails this suite
until it has a case here. Below the services, row-level security holds for raw SQL under each service's own role."""

import datetime
import json
import re
import unittest

from support import contract, grpc, http, postgres, stack, wait
from support.shop import ADDRESS, Shop, unique

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


class Owner:
    """A tenant with something of everything, and the secrets that nobody else may see."""

    def __init__(self):
        self.shop = Shop()
        self.mark = unique("mark")
        self._takes_mails()
        self.shop.must(201, self.shop.staff.post("/api/v1/categories", {"code": self.mark, "name": f"Secret {self.mark}"}))
        self.product = self.shop.product(25.00, stock=10, title=f"Secret {self.mark}", categories=[self.mark], attributes={"secret": self.mark})
        self.sku = self.product["sku"]
        self.session = unique("session-secret")
        self.cart = self._cart()
        self.session_cart = self._cart(sessionId=self.session)
        self.order = self.shop.must(201, self.shop.order([(self.sku, 1)], key=unique("key"), email=f"{self.mark}@example.com"))
        self.reservation = postgres.value(f"SELECT reservation_id FROM orders.orders WHERE order_id = '{self.order['orderId']}'")
        self.shipped = self._shipped()
        self.payment = postgres.value(f"SELECT payment_id FROM orders.orders WHERE order_id = '{self.shipped['orderId']}'")
        self.sale = self._sale()
        self.hook, self.delivery = self._hooked()
        self.store, self.clerk, self.invited = self._staffed()
        self.shop.must(200, http.Client(self.shop.token("ADMIN")).call(
            "PUT", f"/api/v1/price-overrides/{self.sku}", {"price": 24.00, "currency": "USD"}))

    def _takes_mails(self):
        admin = http.Client(self.shop.token("ADMIN"))
        self.shop.must(200, admin.call("PUT", "/api/v1/mail/sender", {"email": f"{self.mark}@example.com", "name": "Shop"}))
        self.shop.must(200, self.shop.staff.post("/api/v1/mail/addresses/suppress", {"email": "bob@example.com", "reason": "BOUNCED"}))

    def _cart(self, **body):
        cart = self.shop.must(201, self.shop.customer.post("/api/v1/carts", body))
        path = f"/api/v1/carts/{cart['cartId']}/items/{self.sku}"
        return self.shop.must(200, self.shop.customer.call("PUT", path, {"qty": 1, **body}))

    def _shipped(self):
        order = self.shop.must(201, self.shop.order([(self.sku, 1)], key=unique("key")))
        path = f"/api/v1/orders/{order['orderId']}"
        self.shop.must(200, self.shop.customer.post(f"{path}/pay", {}))
        return self.shop.must(200, self.shop.staff.post(f"{path}/fulfill", {}))

    def _sale(self):
        start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        return self.shop.must(201, self.shop.staff.post("/api/v1/flash-sales", {
            "productId": self.product["productId"], "name": self.mark, "offers": [{"sku": self.sku, "price": 20.00, "currency": "USD"}],
            "startsAt": start.isoformat(), "endsAt": (start + datetime.timedelta(days=1)).isoformat()}))

    def _hooked(self):
        # Paused, and for events that there are none of, so that nothing is sent while others look.
        path = "/api/v1/webhooks/subscriptions"
        made = self.shop.must(201, self.shop.staff.post(path, {
            "url": f"https://example.com/{self.mark}", "eventTypes": ["ecommerce.payment.payment.failed.v1"]}))
        self.shop.must(200, self.shop.staff.post(f"{path}/{made['subscriptionId']}/pause", {}))
        test = self.shop.must(201, self.shop.staff.post(f"{path}/{made['subscriptionId']}/test", {}))
        return made, test["deliveryId"]

    def _staffed(self):
        """A store, somebody who works there, and somebody who is invited to."""
        admin, user = http.Client(self.shop.token("ADMIN")), unique("clerk")
        store = self.shop.must(201, admin.post("/api/v1/stores", {
            "storeCode": unique("store")[:32], "name": self.mark, "defaultCountry": "DE"}))
        grants = [{"storeCode": store["storeCode"], "permissions": ["orders.read"]}]
        invited = [self.shop.must(201, admin.post("/api/v1/staff", {"email": f"{name}-{self.mark}@example.com", "grants": grants}))
                   for name in ("sam", "kim")]
        clerk = http.Client(self.shop.token("STAFF", user))
        accepted = self.shop.must(200, clerk.post("/api/v1/invitations/accept", {"code": invited[0]["invitationCode"]}))
        clerk.close()
        self.shop.must(201, admin.post("/api/v1/revocations", {"subject": unique("thief"), "tokenId": self.mark}))
        return store["storeCode"], accepted, invited[1]

    def secrets(self):
        return {self.mark, self.store, self.clerk["staffId"], self.clerk["userId"], self.invited["invitationCode"], self.hook["subscriptionId"], self.hook["secret"], self.delivery, self.product["productId"], self.product["variants"][0]["variantId"], self.cart["cartId"],
                self.session_cart["cartId"], self.order["orderId"], self.shipped["orderId"], self.shipped["shipments"][0]["shipmentId"],
                self.reservation, self.payment, self.sale["saleId"]}

    def rows(self):
        """A fingerprint of everything that is stored of the tenant, but for what follows when it has come so far: read models, mails and who did what."""
        tables = [row["name"] for row in postgres.rows(postgres.TABLES) if not row["name"].startswith(("analytics.", "audit.")) and row["name"] != "mail.mail"]
        union = " UNION ALL ".join(
            f"SELECT '{name}' AS name, md5(string_agg(t::text, '|' ORDER BY t::text)) AS hash FROM {name} t "
            f"WHERE tenant_id = '{self.shop.tenant}'" for name in tables)
        return {row["name"]: row["hash"] for row in postgres.rows(union)}


def cases(owner):
    """{method: [(request in JSON of gRPC, code)]}: what a stranger sends with ids of `owner`. OK stands where the answer is about the
    stranger's own tenant; that it holds nothing of the owner is checked for every answer."""
    sku, cart = owner.sku, {"cartId": owner.cart["cartId"]}
    session_cart = {"cartId": owner.session_cart["cartId"], "sessionId": owner.session}
    order = {"items": [{"sku": sku, "qty": 1}], "paymentMethod": "PAYMENT_METHOD_CARD", "shippingAddress": ADDRESS,
             "email": "eve@example.com"}
    by_cart = {**order, "items": [], "cartId": owner.cart["cartId"]}
    reservation, order_id, payment = ({"reservationId": owner.reservation}, {"orderId": owner.order["orderId"]},
                                      {"paymentId": owner.payment})
    money = {"amount": 2500, "currency": "USD", "reference": "theft"}
    hook, delivery = {"subscriptionId": owner.hook["subscriptionId"]}, {"deliveryId": owner.delivery}
    staff, store = {"staffId": owner.clerk["staffId"]}, {"storeCode": owner.store}
    product = {"title": "Mine", "variants": [{"sku": sku, "price": 100, "currency": "USD"}]}
    return {
        "commerce.analytics.v1.Analytics/ListOrdersByCustomer": [({"userId": "ada"}, "OK")],
        "commerce.analytics.v1.Analytics/GetInventorySnapshot": [({}, "OK"), ({"sku": sku}, "OK")],
        "commerce.analytics.v1.Analytics/GetDailyRevenue": [({"fromDay": "2026-01-01", "toDay": "2026-12-31"}, "OK")],
        "commerce.analytics.v1.Analytics/GetLiveRevenue": [({}, "OK")],
        "commerce.audit.v1.AuditTrail/ListEntries": [({}, "OK"), ({"objectId": sku}, "OK"), ({"actor": "ada"}, "OK")],
        "commerce.audit.v1.AuditTrail/VerifyChain": [({}, "OK")],
        "commerce.cart.v1.Carts/CreateCart": [({}, "OK"), ({"sessionId": owner.session}, "OK")],
        "commerce.cart.v1.Carts/GetCart": [(cart, "NOT_FOUND"), (session_cart, "NOT_FOUND")],
        "commerce.cart.v1.Carts/SetItem": [
            ({**cart, "sku": sku, "qty": 9}, "NOT_FOUND"), ({**session_cart, "sku": sku, "qty": 9}, "NOT_FOUND")],
        "commerce.cart.v1.Carts/RemoveItem": [({**cart, "sku": sku}, "NOT_FOUND"), ({**session_cart, "sku": sku}, "NOT_FOUND")],
        "commerce.cart.v1.Carts/MergeCart": [({"sessionId": owner.session}, "OK")],
        "commerce.identity.v1.Revocations/RevokeTokens": [({"subject": owner.clerk["userId"]}, "OK")],
        "commerce.identity.v1.Revocations/ListRevocations": [({}, "OK")],
        "commerce.identity.v1.StaffAccounts/InviteStaff": [
            ({"email": owner.clerk["email"]}, "OK"),
            ({"email": "eve@example.com", "grants": [{**store, "permissions": ["orders.read"]}]}, "INVALID_ARGUMENT")],
        "commerce.identity.v1.StaffAccounts/AcceptInvitation": [({"code": owner.invited["invitationCode"]}, "NOT_FOUND")],
        "commerce.identity.v1.StaffAccounts/GetStaff": [(staff, "NOT_FOUND")],
        "commerce.identity.v1.StaffAccounts/ListStaff": [({}, "OK")],
        "commerce.identity.v1.StaffAccounts/SetGrants": [(staff, "NOT_FOUND")],
        "commerce.identity.v1.StaffAccounts/DeactivateStaff": [(staff, "NOT_FOUND")],
        "commerce.identity.v1.StaffAccounts/ReactivateStaff": [(staff, "NOT_FOUND")],
        "commerce.identity.v1.Stores/CreateStore": [({**store, "name": "Mine", "defaultCountry": "DE"}, "OK")],
        "commerce.identity.v1.Stores/ListStores": [({}, "OK")],
        "commerce.identity.v1.Stores/CloseStore": [(store, "NOT_FOUND")],
        "commerce.inventory.v1.Inventory/ReserveStock": [
            ({"reservationId": unique("theft"), "lines": [{"sku": sku, "qty": 1}]}, "FAILED_PRECONDITION"),
            ({"reservationId": owner.reservation, "lines": [{"sku": sku, "qty": 1}]}, "FAILED_PRECONDITION")],
        "commerce.inventory.v1.Inventory/CommitStock": [(reservation, "NOT_FOUND")],
        "commerce.inventory.v1.Inventory/UncommitStock": [(reservation, "NOT_FOUND")],
        "commerce.inventory.v1.Inventory/ShipStock": [
            ({**reservation, "shipmentId": unique("theft"), "lines": [{"sku": sku, "qty": 1}]}, "NOT_FOUND")],
        "commerce.inventory.v1.Inventory/GetReservation": [(reservation, "NOT_FOUND")],
        "commerce.inventory.v1.Inventory/ReleaseStock": [(reservation, "NOT_FOUND")],
        "commerce.inventory.v1.Inventory/SetStockPolicy": [({"sku": sku, "locationCode": "MAIN", "buffer": 9}, "NOT_FOUND")],
        "commerce.inventory.v1.Inventory/QueryStock": [({"sku": sku}, "NOT_FOUND")],
        "commerce.inventory.v1.Inventory/BatchGetStock": [({"productIds": [owner.product["productId"]]}, "OK")],
        "commerce.inventory.v1.Inventory/AdjustStock": [({"sku": sku, "delta": -1, "reason": "THEFT"}, "INVALID_ARGUMENT")],
        "commerce.mail.v1.Mails/GetSender": [({}, "NOT_FOUND")],
        "commerce.mail.v1.Mails/SetSender": [({"email": "eve@example.com", "name": "Theft"}, "OK")],
        "commerce.mail.v1.Mails/RemoveSender": [({}, "OK")],
        "commerce.mail.v1.Mails/ListMails": [(order_id, "OK")],
        "commerce.mail.v1.Mails/Unsubscribe": [({"token": "x"}, "INVALID_ARGUMENT")],
        "commerce.mail.v1.Mails/CheckAddress": [({"email": "bob@example.com"}, "OK")],
        "commerce.mail.v1.Mails/SuppressAddress": [({"email": "bob@example.com", "reason": "COMPLAINED"}, "OK")],
        "commerce.mail.v1.Mails/AllowAddress": [({"email": "bob@example.com"}, "OK")],
        "commerce.order.v1.Orders/CreateOrder": [(order, "INVALID_ARGUMENT"), (by_cart, "NOT_FOUND")],
        "commerce.order.v1.Orders/PayOrder": [(order_id, "NOT_FOUND")],
        "commerce.order.v1.Orders/ConfirmPayment": [({**order_id, **money}, "NOT_FOUND")],
        "commerce.order.v1.Orders/CancelOrder": [(order_id, "NOT_FOUND")],
        "commerce.order.v1.Orders/FulfillOrder": [(order_id, "NOT_FOUND")],
        "commerce.order.v1.Orders/DeliverShipment": [
            ({"orderId": owner.shipped["orderId"], "shipmentId": owner.shipped["shipments"][0]["shipmentId"]}, "NOT_FOUND")],
        "commerce.order.v1.Orders/ListOrderHistory": [(order_id, "NOT_FOUND")],
        "commerce.order.v1.Orders/FindReservations": [({"reservationIds": [owner.reservation]}, "OK")],
        "commerce.order.v1.Orders/GetOrder": [(order_id, "NOT_FOUND")],
        "commerce.order.v1.Orders/ListOrders": [({"userId": "ada"}, "OK")],
        "commerce.payment.v1.Payments/ProcessPayment": [
            # The same id is another payment in another tenant: nothing of the first one is told or changed.
            ({**payment, "orderId": owner.shipped["orderId"], "amount": 2500, "currency": "USD",
              "method": "PAYMENT_METHOD_BANK_TRANSFER"}, "OK")],
        "commerce.payment.v1.Payments/ConfirmPayment": [({**payment, **money}, "NOT_FOUND")],
        "commerce.payment.v1.Payments/RefundPayment": [({**payment, "reason": "THEFT"}, "NOT_FOUND")],
        "commerce.payment.v1.Payments/GetPayment": [(payment, "NOT_FOUND")],
        "commerce.payment.v1.Payments/ListPayments": [({"orderId": owner.shipped["orderId"]}, "OK")],
        "commerce.pricing.v1.Pricing/SetPriceOverride": [({"sku": sku, "price": 1, "currency": "USD"}, "NOT_FOUND")],
        "commerce.pricing.v1.Pricing/RemovePriceOverride": [({"sku": sku}, "NOT_FOUND")],
        "commerce.pricing.v1.Pricing/CreateFlashSale": [
            ({"productId": owner.product["productId"], "name": "Theft", "offers": [{"sku": sku, "price": 1, "currency": "USD"}],
              "endsAt": "2100-01-01T00:00:00Z"}, "NOT_FOUND")],
        "commerce.pricing.v1.Pricing/GetFlashSale": [({"saleId": owner.sale["saleId"]}, "NOT_FOUND")],
        "commerce.pricing.v1.Pricing/ListFlashSales": [({}, "OK"), ({"productId": owner.product["productId"]}, "OK")],
        "commerce.pricing.v1.Pricing/CancelFlashSale": [({"saleId": owner.sale["saleId"]}, "NOT_FOUND")],
        "commerce.product.v1.Categories/CreateCategory": [({"code": unique("theft"), "name": "Theft", "parent": owner.mark}, "INVALID_ARGUMENT")],
        "commerce.product.v1.Categories/GetCategory": [({"code": owner.mark}, "NOT_FOUND")],
        "commerce.product.v1.Categories/ListCategories": [({}, "OK")],
        "commerce.product.v1.Categories/UpdateCategory": [({"code": owner.mark, "name": "Stolen"}, "NOT_FOUND")],
        "commerce.product.v1.Categories/DeleteCategory": [({"code": owner.mark}, "NOT_FOUND")],
        "commerce.product.v1.Products/GetProduct": [({"productId": owner.product["productId"]}, "NOT_FOUND")],
        "commerce.product.v1.Products/BatchGetProducts": [({"productIds": [owner.product["productId"]]}, "OK")],
        "commerce.product.v1.Products/UpdateProduct": [
            ({"productId": owner.product["productId"], "title": "Stolen"}, "NOT_FOUND")],
        "commerce.product.v1.Products/ListProducts": [({"sku": sku}, "OK"), ({"title": owner.mark}, "OK"), ({"pageSize": 100}, "OK")],
        "commerce.product.v1.Products/SearchProducts": [
            ({"q": owner.mark}, "OK"), ({"q": sku}, "OK"), ({"facets": True}, "OK")],
        "commerce.product.v1.Products/ResolveVariants": [
            ({"variants": [{"sku": sku}, {"productId": owner.product["productId"]}]}, "OK")],
        # An operator has no tenant, and sees what belongs to none.
        "commerce.replay.v1.Replays/StartReplay": [({"projection": "customers"}, "INVALID_ARGUMENT")],
        "commerce.replay.v1.Replays/GetReplay": [({"replayId": "rpl_1"}, "NOT_FOUND")],
        "commerce.replay.v1.Replays/CancelReplay": [({"replayId": "rpl_1"}, "NOT_FOUND")],
        "commerce.replay.v1.Replays/GetProjection": [({"projection": "orders_by_customer"}, "OK")],
        "commerce.replay.v1.Replays/DropRows": [({"projection": "orders_by_customer", "rowsVersion": 1_000_000}, "OK")],
        "commerce.webhook.v1.Webhooks/CreateSubscription": [
            ({"url": "https://example.com/theft", "eventTypes": ["ecommerce.payment.payment.failed.v1"]}, "OK")],
        "commerce.webhook.v1.Webhooks/GetSubscription": [(hook, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/ListSubscriptions": [({}, "OK")],
        "commerce.webhook.v1.Webhooks/UpdateSubscription": [({**hook, "url": "https://example.com/theft"}, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/DeleteSubscription": [(hook, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/PauseSubscription": [(hook, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/ResumeSubscription": [(hook, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/RotateSecret": [(hook, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/SendTestEvent": [(hook, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/ListAuditRecords": [(hook, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/GetDelivery": [(delivery, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/ListDeliveries": [({}, "OK"), (hook, "OK")],
        "commerce.webhook.v1.Webhooks/Redeliver": [(delivery, "NOT_FOUND")],
        "commerce.webhook.v1.Webhooks/RedeliverRange": [(hook, "OK")],
        # The last one: the same SKU may be in two tenants.
        "commerce.product.v1.Products/CreateProduct": [(product, "OK")],
    }


def rest_call(method, request):
    """(verb, path, JSON body) of the route of a method for a request in JSON of gRPC."""
    verb, template = method.http
    rest = json.loads(json.dumps(request))
    for name in re.findall(r"\{(\w+)\}", template):
        field = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
        template = template.replace(f"{{{name}}}", str(rest.pop(field, "x")))
    if "paymentMethod" in rest:
        rest["paymentMethod"] = rest["paymentMethod"].replace("PAYMENT_METHOD_", "")
    if verb in ("GET", "DELETE"):
        query = "&".join(f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in rest.items())
        return verb, f"{template}?{query}" if query else template, None
    return verb, template, rest


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
