"""A tenant with products and stock, and people who order: what most suites begin with."""

import uuid

from support import http, stack

ADDRESS = {"name": "Ada Example", "line1": "1 Harbour Street", "line2": "", "city": "Portland", "region": "OR",
           "postalCode": "97201", "countryCode": "US", "phone": "+15035550100"}


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def order_body(items, **changes):
    """`items`: (sku, qty) pairs."""
    return {"items": [{"sku": sku, "qty": qty} for sku, qty in items], "currency": "USD", "paymentMethod": "CARD",
            "shippingAddress": ADDRESS, "email": "ada@example.com", **changes}


class Shop:
    """One tenant, by default a new one."""

    def __init__(self, tenant=None):
        self.tenant = tenant or unique("shop")
        self.staff = http.Client(self.token("STAFF", "sam"))
        self.customer = http.Client(self.token("CUSTOMER", "ada"))
        self.anyone = http.Client(tenant=self.tenant)

    def token(self, role="CUSTOMER", user="ada", **changes):
        return stack.token(**{"role": role, "tenant": self.tenant, "user": user, **changes})

    def close(self):
        for client in (self.staff, self.customer, self.anyone):
            client.close()

    def product(self, price=25.00, sku=None, stock=0, currency="USD", **changes):
        """Creates a product with one variant; returns it, its SKU as `sku`."""
        sku = sku or unique("SKU").upper()
        created = self.must(201, self.staff.post("/api/v1/products", {
            "title": f"Product {sku}", "description": "For a test.",
            "variants": [{"sku": sku, "price": price, "currency": currency, "fulfillmentType": "PHYSICAL"}], **changes}))
        if stock:
            self.stock_up(sku, stock)
        return {**created, "sku": sku}

    def stock_up(self, sku, delta, location="MAIN"):
        return self.must(201, self.staff.post(f"/api/v1/inventory/{sku}/adjustments",
                                              {"delta": delta, "reason": "RECEIVED", "locationCode": location}))

    def stock(self, sku):
        return self.must(200, self.anyone.get(f"/api/v1/inventory/{sku}"))

    def order(self, items, key=None, client=None, **changes):
        return (client or self.customer).post("/api/v1/orders", order_body(items, **changes),
                                              headers={"Idempotency-Key": key} if key else None)

    @staticmethod
    def must(status, answer):
        if answer.status != status:
            raise AssertionError(f"expected {status}, got {answer}")
        return answer.json
