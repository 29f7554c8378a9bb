"""A tenant with something of everything, and what strangers may try to get of it."""

import datetime
import json
import re

from support import http, postgres
from support.shop import ADDRESS, Shop, unique


class Owner:
    """A tenant with something of everything, and the secrets that nobody else may see."""

    def __init__(self):
        self.shop = Shop()
        self.mark = unique("mark")
        # In texts only; no case sends it.
        self.hidden = unique("hidden")
        self._takes_mails()
        self.shop.must(201, self.shop.staff.post("/api/v1/categories", {"code": self.mark, "name": f"Secret {self.mark}"}))
        self.product = self.shop.product(25.00, stock=10, title=f"Secret {self.mark}", description=self.hidden, categories=[self.mark], attributes={"secret": self.mark})
        self.sku = self.product["sku"]
        self.session = unique("session-secret")
        self.cart = self._cart()
        self.session_cart = self._cart(sessionId=self.session)
        self.key = unique("key")
        self.order = self.shop.must(201, self.shop.order([(self.sku, 1)], key=self.key, email=f"{self.mark}@example.com",
                                                      shippingAddress={**ADDRESS, "line1": self.hidden}))
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
        self.shop.must(200, admin.call("PUT", "/api/v1/mail/sender", {"email": f"{self.mark}@example.com", "name": self.hidden}))
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
            "url": f"https://example.com/{self.mark}", "description": self.hidden, "eventTypes": ["ecommerce.payment.payment.failed.v1"]}))
        self.shop.must(200, self.shop.staff.post(f"{path}/{made['subscriptionId']}/pause", {}))
        test = self.shop.must(201, self.shop.staff.post(f"{path}/{made['subscriptionId']}/test", {}))
        return made, test["deliveryId"]

    def _staffed(self):
        """A store, somebody who works there, and somebody who is invited to."""
        admin, user = http.Client(self.shop.token("ADMIN")), unique("clerk")
        store = self.shop.must(201, admin.post("/api/v1/stores", {
            "storeCode": unique("store")[:32], "name": self.hidden, "defaultCountry": "DE"}))
        grants = [{"storeCode": store["storeCode"], "permissions": ["orders.read"]}]
        invited = [self.shop.must(201, admin.post("/api/v1/staff", {"email": f"{name}-{self.mark}@example.com", "grants": grants}))
                   for name in ("sam", "kim")]
        clerk = http.Client(self.shop.token("STAFF", user))
        accepted = self.shop.must(200, clerk.post("/api/v1/invitations/accept", {"code": invited[0]["invitationCode"]}))
        clerk.close()
        self.shop.must(201, admin.post("/api/v1/revocations", {"subject": unique("thief"), "tokenId": self.mark}))
        return store["storeCode"], accepted, invited[1]

    def secrets(self):
        return {self.mark, self.store, self.clerk["staffId"], self.clerk["userId"], self.invited["invitationCode"], self.hook["subscriptionId"],
                self.hook["secret"], self.delivery, self.product["productId"], self.product["variants"][0]["variantId"], self.cart["cartId"],
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
    if isinstance(rest.get("paymentMethod"), str):
        rest["paymentMethod"] = rest["paymentMethod"].replace("PAYMENT_METHOD_", "")
    if verb in ("GET", "DELETE"):
        query = "&".join(f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in rest.items())
        return verb, f"{template}?{query}" if query else template, None
    return verb, template, rest
