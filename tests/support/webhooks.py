"""A shop's subscriptions and their deliveries, by the gateway."""

import datetime
import urllib.parse

from support import http, wait

BASE = "/api/v1/webhooks"
ORDERS = "ecommerce.order.*"
CREATED = "ecommerce.order.order.created.v1"
TESTED = "ecommerce.webhook.subscription.test.v1"
# Of the test stack (TEST_SETTINGS of tools/bvtool/specs.py), in seconds: the pauses before the second attempt, the third and so on.
DELAYS = (0.5, 1.0, 1.5, 2.0, 2.5)
ATTEMPTS = len(DELAYS) + 1
TIMEOUT = 2.0


class Webhooks:
    def __init__(self, shop, timeout=30):
        self.shop = shop
        self.client = http.Client(shop.token("ADMIN", "wanda"), timeout=timeout)

    def close(self):
        self.client.close()

    def must(self, status, answer):
        return self.shop.must(status, answer)

    def create(self, url, *types, **changes):
        """The answer, whatever it is."""
        return self.client.post(f"{BASE}/subscriptions", {"url": url, "eventTypes": list(types) or [ORDERS], **changes})

    def subscribe(self, hook, *types, **changes):
        return self.must(201, self.create(hook.url, *types, **changes))

    def get(self, subscription):
        return self.must(200, self.client.get(f"{BASE}/subscriptions/{subscription['subscriptionId']}"))

    def act(self, subscription, action, body=None, status=200):
        """pause, resume, rotate-secret or test."""
        return self.must(status, self.client.post(f"{BASE}/subscriptions/{subscription['subscriptionId']}/{action}", body or {}))

    def test(self, subscription):
        return self.act(subscription, "test", status=201)

    def delivery(self, delivery_id):
        return self.must(200, self.client.get(f"{BASE}/deliveries/{delivery_id}"))

    def deliveries(self, **filters):
        """All that the filters find, newest first."""
        found, token = [], ""
        while True:
            query = urllib.parse.urlencode({**filters, "pageSize": 100, "pageToken": token})
            page = self.must(200, self.client.get(f"{BASE}/deliveries?{query}"))
            found += page.get("deliveries", [])
            token = page.get("nextPageToken")
            if not token:
                return found

    def await_status(self, delivery_id, status, within=20.0):
        return wait.until(lambda: (lambda delivery: delivery if delivery["status"] == status else None)(self.delivery(delivery_id)),
                          within, f"{delivery_id} {status}", every=0.1)

    def await_subscription(self, subscription, status, within=20.0):
        return wait.until(lambda: (lambda found: found if found["status"] == status else None)(self.get(subscription)), within,
                          f"the subscription {status}", every=0.1)


def moment(text):
    """Seconds since 1970 of a time of the API."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def pauses(delivery):
    """Seconds from the end of each attempt to the beginning of the next."""
    attempts = delivery["attempts"]
    return [moment(later["at"]) - moment(earlier["at"]) - earlier.get("latencyMillis", 0) / 1000
            for earlier, later in zip(attempts, attempts[1:])]
