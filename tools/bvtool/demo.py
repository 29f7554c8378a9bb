"""The first order: a demo catalogue through the REST API, one order, and the way it takes, as a person would do it with curl."""

import json
import secrets
import subprocess
import threading
import time
import urllib.parse
import uuid

from . import credentials, web
from .console import Failure, Step, bold, dim, say
from .layout import GATEWAY_HTTP, KAFKA_CLIENTS

TOPIC = "ecommerce.order.order"
EVENT_WITHIN, ATTEMPT = 15.0, 3.0  # seconds
STOCK, STOCK_LOW = 500, 20
CATALOGUE = (
    {"title": "Ridge two-person tent", "description": "Three seasons, 1.9 kg, free-standing.",
     "variants": [{"sku": "TENT-RIDGE-2P", "price": 249.00, "currency": "USD", "compareAtPrice": 299.00,
                   "fulfillmentType": "PHYSICAL"}]},
    {"title": "Down sleeping bag", "description": "Comfortable to -4 °C.",
     "variants": [{"sku": "BAG-DOWN-REG", "price": 189.50, "currency": "USD", "fulfillmentType": "PHYSICAL"},
                  {"sku": "BAG-DOWN-LONG", "price": 199.50, "currency": "USD", "fulfillmentType": "PHYSICAL"}]},
    {"title": "Ember camping stove", "description": "Boils a litre in three minutes.",
     "variants": [{"sku": "STOVE-EMBER", "price": 64.75, "currency": "USD", "fulfillmentType": "PHYSICAL"}]},
)
ORDERED = (("STOVE-EMBER", 2), ("TENT-RIDGE-2P", 1))
ADDRESS = {"name": "Ada Example", "line1": "1 Harbour Street", "line2": "", "city": "Portland", "region": "OR",
           "postalCode": "97201", "countryCode": "US", "phone": "+15035550100"}


class Shop:
    """The gateway's API, as far as the demo uses it."""

    def __init__(self, stack):
        self.url = f"http://{stack.address(GATEWAY_HTTP)}"
        self._stack = stack

    def call(self, method, path, body=None, role="CUSTOMER", headers=None, expect=(200, 201)):
        token = credentials.token(self._stack, role)
        return web.call(method, self.url + path, body, {"Authorization": f"Bearer {token}", **(headers or {})}, expect=expect)

    def stock(self, sku):
        """What is available, 0 for a SKU that was never stocked."""
        answer, _ = self.call("GET", f"/api/v1/inventory/{sku}", expect=(200, 404))
        return int(answer.get("available", 0))


def seed(shop):
    for product in CATALOGUE:
        sku = product["variants"][0]["sku"]
        found, _ = shop.call("GET", "/api/v1/products?" + urllib.parse.urlencode({"sku": sku, "pageSize": 1}))
        if not found.get("products"):
            shop.call("POST", "/api/v1/products", product, role="STAFF")
        for variant in product["variants"]:
            if shop.stock(variant["sku"]) < STOCK_LOW:
                shop.call("POST", f"/api/v1/inventory/{variant['sku']}/adjustments",
                          {"delta": STOCK, "reason": "RECEIVED", "locationCode": "MAIN"}, role="STAFF",
                          headers={"Idempotency-Key": str(uuid.uuid4())})


class EventReader:
    """Reads the order topic from a moment on, with a stock client, until an order's event comes by."""

    def __init__(self, brokers, since_ms):
        self._arguments = ["kcat", "-b", brokers, "-C", "-t", TOPIC, "-o", f"s@{since_ms}", "-u", "-q", "-f", "%t\t%p\t%o\t%k\t%s\n"]

    def find(self, key, within):
        """{topic, partition, offset, text} of the first message with this key."""
        deadline = time.monotonic() + within
        said = ""
        # More than once: kcat ends where a partition that was made this moment has no leader yet, and a message that comes
        # between its question for the first offset since then and its first fetch passes it by.
        while time.monotonic() < deadline:
            found, said = self._read(key, min(deadline, time.monotonic() + ATTEMPT))
            if found:
                return found
        raise Failure(f"The event of {key} did not come to {TOPIC} within {within:.0f} s. "
                      f"`tools/bv logs outbox-relay` may say why. {said}")

    def _read(self, key, deadline):
        """The message, or None and what kcat said."""
        with subprocess.Popen(self._arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as kcat:
            timer = threading.Timer(deadline - time.monotonic(), kcat.kill)
            timer.start()
            try:
                for line in kcat.stdout:
                    topic, partition, offset, found, value = line.rstrip("\n").split("\t", 4)
                    if found == key:
                        return {"topic": topic, "partition": partition, "offset": offset, "text": value}, ""
                return None, kcat.stderr.read().strip()
            finally:
                timer.cancel()
                kcat.kill()


def traced():
    """What has a request's trace recorded, whatever share of others is."""
    return {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}


def run(stack):
    shop = Shop(stack)
    with Step("demo catalogue", f"{len(CATALOGUE)} products of the tenant {credentials.DEMO_TENANT}"):
        seed(shop)
    with Step("demo order", "POST /api/v1/orders") as step:
        before = {sku: shop.stock(sku) for sku, _ in ORDERED}
        correlation = f"demo-{uuid.uuid4()}"
        body = {"items": [{"sku": sku, "qty": qty} for sku, qty in ORDERED], "currency": "USD", "paymentMethod": "CARD",
                "shippingAddress": ADDRESS, "email": "ada@example.com"}
        since_ms = int(time.time() * 1000) - 1000
        asked = time.monotonic()
        order, headers = shop.call("POST", "/api/v1/orders", body, expect=(201,),
                                   headers={"Idempotency-Key": str(uuid.uuid4()), "Correlation-Id": correlation, **traced()})
        answered = time.monotonic() - asked
        step.update("placed; waiting for its event on Kafka")
        event = EventReader(stack.address(KAFKA_CLIENTS), since_ms).find(order["orderId"], EVENT_WITHIN)
        after = {sku: shop.stock(sku) for sku, _ in ORDERED}
        step.update(f"201 in {answered * 1000:.0f} ms, and on Kafka")
    with Step("demo payment", f"POST /api/v1/orders/{order['orderId']}/pay") as step:
        asked = time.monotonic()
        paid, _ = shop.call("POST", f"/api/v1/orders/{order['orderId']}/pay", {}, headers={"Correlation-Id": correlation, **traced()})
        step.update(f"{paid['status']} in {(time.monotonic() - asked) * 1000:.0f} ms, by the simulated gateway")
    show_way(order, paid, headers, correlation, event, before, after)
    return order["orderId"]


def show_way(order, paid, headers, correlation, event, before, after):
    envelope = json.loads(event["text"])
    say()
    say(bold("The way of the order"))
    _line("REST", f"201  {headers.get('Location', '')}")
    total = f"{order['totalAmount']:.2f} {order['currency']}"
    _line("order", f"{order['orderId']}  {order['status']}, payment {order['paymentStatus']}, {total}")
    for item in order["items"]:
        _line("item", f"{item['qty']} x {item['sku']}  {item['price']:.2f}  {item['productId']}")
    for sku in before:
        _line("stock", f"{sku}  {before[sku]} before, {after[sku]} after")
    _line("paid", f"{paid['status']}, payment {paid['paymentStatus']}, version {paid['version']}")
    _line("event", f"{envelope['eventId']}  {envelope['eventType']}")
    _line("Kafka", f"{event['topic']}, partition {event['partition']}, offset {event['offset']}, key {envelope['partitionKey']}")
    _line("trace", f"{envelope['traceId']}, correlation {correlation}")
    for line in indented(event["text"]).splitlines():
        say(dim(f"  {line}"))


def indented(text):
    """JSON on several lines, with its numbers as they were written: 129.50 stays 129.50."""
    mark = "\N{INVISIBLE SEPARATOR}"
    value = json.loads(text, parse_float=lambda number: f"{mark}{number}{mark}")
    return json.dumps(value, indent=2, ensure_ascii=False).replace(f'"{mark}', "").replace(f'{mark}"', "")


def _line(name, text):
    say(f"  {name:<6} {text}")
