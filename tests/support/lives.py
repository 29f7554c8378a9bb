"""The lives of orders, from creation to end, led by people who repeat what was not answered, and who look at what came of it."""

from support import gateways, http, patient, postgres
from support.shop import order_body, unique

STOCK = 1_000_000
PRICE = 25.00
PRICE_DECLINED = 13.13  # every card is declined for it
DECLINING = {"declineAmounts": f"{PRICE_DECLINED:.2f}"}


class Lives:
    """One customer and one clerk of a shop, on connections of their own. Every method is one life; it returns the order's id, and fails
    with AssertionError where what the client is told is not right. `skus` is what `prepare` returned."""

    def __init__(self, shop, skus, user):
        self._sku, self._declined_sku = skus
        self._customer = http.Client(shop.token(user=user))
        self._staff = http.Client(shop.token("STAFF", f"{user}-clerk"))

    @staticmethod
    def prepare(shop):
        """What the customers of the shop buy; and the gateways are told to decline one price."""
        gateways.tell(**DECLINING)
        return [shop.product(price, stock=STOCK)["sku"] for price in (PRICE, PRICE_DECLINED)]

    def close(self):
        self._customer.close()
        self._staff.close()

    def paid_and_shipped(self):
        order = self._place("CARD")
        self._reaches(order, "pay", self._customer, status="PAID", paymentStatus="PAID")
        return self._reaches(order, "fulfill", self._staff, status="FULFILLED", fulfillmentStatus="SHIPPED")

    def paid_and_refunded(self):
        order = self._place("CARD")
        self._reaches(order, "pay", self._customer, status="PAID", paymentStatus="PAID")
        return self._reaches(order, "cancel", self._staff, status="CANCELED", paymentStatus="REFUNDED")

    def paid_in_doubt(self):
        """The gateway takes the money and hangs up: it has to be asked what came of it."""
        order = self._place("CARD")
        gateways.tell(fault="DROP_AFTER", operation="CHARGE", times=1, **DECLINING)
        return self._reaches(order, "pay", self._customer, status="PAID", paymentStatus="PAID")

    def withdrawn(self):
        return self._reaches(self._place("CARD"), "cancel", self._customer, status="CANCELED", paymentStatus="PENDING")

    def declined(self):
        """Tries it twice, and gives up."""
        order = self._place("CARD", self._declined_sku)
        for _ in range(2):
            self._reaches(order, "pay", self._customer, status="PENDING", paymentStatus="FAILED")
        return self._reaches(order, "cancel", self._customer, status="CANCELED", paymentStatus="FAILED")

    def transferred(self):
        order = self._place("BANK_TRANSFER")
        return self._reaches(order, "confirm-payment", self._staff, self._money(order), status="PAID", paymentStatus="PAID")

    def on_delivery(self):
        order = self._place("CASH_ON_DELIVERY")
        self._reaches(order, "fulfill", self._staff, status="PENDING", fulfillmentStatus="SHIPPED")
        return self._reaches(order, "confirm-payment", self._staff, self._money(order), status="FULFILLED", paymentStatus="PAID")

    def never_paid(self):
        """Its hold ends; that time passes, the test sees to."""
        order = self._place("CARD")
        postgres.execute(f"UPDATE inventory.reservation SET expires_at = now() WHERE status = 'HELD' AND reservation_id = "
                         f"(SELECT coalesce(reservation_id, order_id) FROM orders.orders WHERE order_id = '{order['orderId']}')")
        return order["orderId"]

    ALL = (paid_and_shipped, paid_and_refunded, paid_in_doubt, withdrawn, declined, transferred, on_delivery, never_paid)

    def _place(self, method, sku=None):
        """Twice under one key: that is one order."""
        key, body = unique("key"), order_body([(sku or self._sku, 1)], paymentMethod=method)
        first, again = (patient.post(self._customer, "/api/v1/orders", body, key) for _ in range(2))
        _expect(first.status == 201, first)
        _expect(again.status == 201 and again.json["orderId"] == first.json["orderId"], again)
        return first.json

    def _reaches(self, order, verb, client, body=None, **state):
        """Does it, and again under the same key: that is once."""
        key, path = unique("key"), f"/api/v1/orders/{order['orderId']}/{verb}"
        for _ in range(2):
            answer = patient.post(client, path, body, key)
            _expect(answer.status == 200 and {name: answer.json.get(name) for name in state} == state, f"{verb}: wanted {state}, got {answer}")
        return order["orderId"]

    @staticmethod
    def _money(order):
        return {"amount": order["totalAmount"], "currency": order["currency"], "reference": unique("statement")}


def _expect(holds, what):
    if not holds:
        raise AssertionError(str(what))
