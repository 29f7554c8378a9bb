"""The contract of the events, proved by a stock consumer: every record of every topic since the stack was made, those of the suites before
included, is a CloudEvent, has the key, the headers and the value that protos/ promises, and versions as protos/asyncapi.json says."""

import collections
import datetime
import unittest

from cloudevents.core.exceptions import CloudEventValidationError

from support import consumer, devices, gateways, generated, http, patient, postgres, receiver, stack, wait
from support.shop import Shop, unique
from support.webhooks import TESTED, Webhooks, moment

# The one tenant of the test stack whose carts hold stock: TEST_SETTINGS in tools/bvtool/specs.py.
CART_HOLDS = "cart-holds"
DECLINED = 13.13


class Life:
    """Makes every type of event."""

    def __init__(self, shop, cart_shop):
        self.shop = shop
        self.cart_shop = cart_shop
        self.sku = shop.product(25.00, stock=20)["sku"]

    def orders(self):
        self.fulfil(self.pay(self.order()))
        self.cancel(self.pay(self.order()))
        self.cancel(self.order())

    def order(self, sku=None):
        return self.shop.must(201, self.shop.order([(sku or self.sku, 1)], key=unique("key")))["orderId"]

    def pay(self, order):
        self.shop.must(200, patient.post(self.shop.customer, f"/api/v1/orders/{order}/pay"))
        return order

    def fulfil(self, order):
        self.shop.must(200, patient.post(self.shop.staff, f"/api/v1/orders/{order}/fulfill"))

    def cancel(self, order):
        self.shop.must(200, patient.post(self.shop.staff, f"/api/v1/orders/{order}/cancel"))

    def declined_payment(self):
        order = self.order(self.shop.product(DECLINED, stock=1)["sku"])
        gateways.tell(declineAmounts=str(DECLINED))
        try:
            patient.post(self.shop.customer, f"/api/v1/orders/{order}/pay")
        finally:
            gateways.behave()

    def catalogue(self):
        product = self.shop.product(5.00, stock=3)
        self.shop.must(200, self.shop.staff.call("PATCH", f"/api/v1/products/{product['productId']}", {"title": "Another"}))
        self.shop.stock_up(product["sku"], -1)

    def prices(self):
        """An override, and a sale that begins at once and is canceled."""
        product = self.shop.product(5.00)
        admin = http.Client(self.shop.token("ADMIN", "root"))
        try:
            override = f"/api/v1/price-overrides/{product['sku']}"
            self.unless_busy(200, lambda: admin.call("PUT", override, {"price": 4.00, "currency": "USD"}))
        finally:
            admin.close()
        ends_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        sale = self.unless_busy(201, lambda: self.shop.staff.post("/api/v1/flash-sales", {
            "productId": product["productId"], "name": "Spring", "endsAt": ends_at.isoformat(), "quantityLimit": 3,
            "offers": [{"sku": product["sku"], "price": 3.00, "currency": "USD"}]}))
        self.unless_busy(200, lambda: self.shop.staff.post(f"/api/v1/flash-sales/{sale['saleId']}/cancel", {}))

    def unless_busy(self, status, call):
        def answer():
            got = call()
            return got if got.json.get("code") != "PRODUCT_BUSY" else None
        return self.shop.must(status, wait.until(answer, 20, "a product that nobody else changes"))

    def cart_holds(self):
        """Held, refused for want of stock, given back, expired."""
        sku = self.cart_shop.product(1.00, stock=2)["sku"]
        with_token = http.Client(self.cart_shop.token(user=unique("buyer")))
        try:
            cart = self.cart_shop.must(201, with_token.post("/api/v1/carts", {}))["cartId"]
            item = f"/api/v1/carts/{cart}/items/{sku}"

            def put(qty, status):
                self.cart_shop.must(200, with_token.call("PUT", item, {"qty": qty}))
                wait.until(lambda: self.hold(with_token, cart).get("status") == status, 30, f"a hold that is {status}")
            put(1, "HELD")
            put(9, "REJECTED")
            put(2, "HELD")
            postgres.execute(f"UPDATE inventory.reservation SET expires_at = now() + interval '1 second' "
                             f"WHERE tenant_id = '{CART_HOLDS}' AND cart_id = '{cart}' AND status = 'HELD'")
            wait.until(lambda: self.hold(with_token, cart).get("status") == "EXPIRED", 30, "a hold that is EXPIRED")
            put(1, "HELD")
            self.cart_shop.must(200, with_token.call("DELETE", item))
        finally:
            with_token.close()

    def report(self):
        """A device sees a piece come."""
        sku, name = self.shop.product(1.00)["sku"], unique("press")
        device = devices.Device(self.shop.tenant, name, devices.add(self.shop.tenant, name, sku))
        try:
            device.report(sku, 1)
        finally:
            device.close()
        # By then its event, which is in no outbox, is on Kafka.
        wait.until(lambda: self.shop.anyone.get(f"/api/v1/inventory/{sku}").status == 200, 30, "the piece in the stock")

    def webhooks(self):
        """A subscriber that is gone, and one that never takes anything."""
        hooks, subscriptions = receiver.Receiver(), Webhooks(self.shop)
        try:
            gone = subscriptions.subscribe(hooks.hook(receiver.answer(410)))
            subscriptions.test(gone)
            failing = subscriptions.test(subscriptions.subscribe(hooks.hook(receiver.answer(500))))
            subscriptions.await_subscription(gone, "DISABLED")
            subscriptions.await_status(failing["deliveryId"], "FAILED", within=40)
        finally:
            subscriptions.close()
            hooks.close()

    def people(self):
        """Somebody who is hired and let go, and a token that was stolen."""
        admin, user = http.Client(self.shop.token("ADMIN", "root")), unique("clerk")
        clerk = http.Client(self.shop.token("STAFF", user))
        try:
            invited = self.shop.must(201, admin.post("/api/v1/staff", {
                "email": f"{user}@example.com", "grants": [{"storeCode": "*", "permissions": ["orders.read"]}]}))
            self.shop.must(200, clerk.post("/api/v1/invitations/accept", {"code": invited["invitationCode"]}))
            self.shop.must(200, admin.post(f"/api/v1/staff/{invited['staffId']}/deactivate", {}))
            self.shop.must(201, admin.post("/api/v1/revocations", {"subject": user, "tokenId": unique("jti")}))
        finally:
            admin.close()
            clerk.close()

    @staticmethod
    def hold(client, cart):
        (item,) = Shop.must(200, client.get(f"/api/v1/carts/{cart}"))["items"]
        return item.get("hold", {})


class EventsContract(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        stack.await_ready()
        shop, cart_shop = Shop(), Shop(CART_HOLDS)
        cls.addClassCleanup(shop.close)
        cls.addClassCleanup(cart_shop.close)
        life = Life(shop, cart_shop)
        for part in life.orders, life.declined_payment, life.catalogue, life.prices, life.cart_holds, life.report, life.webhooks, life.people:
            part()
        document = generated.asyncapi()
        cls.described = {message["name"]: message for message in document["components"]["messages"].values()}
        cls.records = cls.read_what_was_committed([channel["address"] for channel in document["channels"].values()])
        cls.by_id = {}  # The first of each event, in the order of its partition.
        for record in cls.records:
            cls.by_id.setdefault(record.header["ce_id"], record)
        print(f"{len(cls.records)} records of {len(cls.by_id)} events", flush=True)

    @staticmethod
    def read_what_was_committed(topics):
        """Everything on Kafka, once all that is in the outbox now has come there."""
        # Suites of the relay have topics of their own, test.….
        committed = {row["id"] for row in postgres.rows("SELECT id::text FROM outbox.event WHERE aggregatetype LIKE 'ecommerce.%'")}
        records = []

        def all_there():
            records[:] = consumer.read_all(topics)
            return not committed - {record.header["ce_id"] for record in records}
        wait.until(all_there, 60, "every event of the outbox on Kafka", every=0.5)
        return records

    def check(self, problem_of, records=None):
        """`problem_of(record)` is None for every record; only the first few problems are shown."""
        problems = [f"{record.place}: {problem}" for record in records or self.records if (problem := problem_of(record))]
        self.assertEqual([], problems[:5], f"{len(problems)} of {len(self.records)} records")

    def test_every_type_that_is_described_was_seen(self):
        # That of a test goes to the subscriber only.
        self.assertEqual(set(self.described) - {TESTED}, {record.json["eventType"] for record in self.records})

    def test_records_are_cloud_events(self):
        def problem(record):
            try:
                event, envelope = record.cloud_event(), record.json
            except CloudEventValidationError as error:
                return f"no CloudEvent: {error}"
            said = (event.get_specversion(), event.get_id(), event.get_type(), event.get_source(), event.get_extension("partitionkey"))
            wanted = ("1.0", envelope["eventId"], envelope["eventType"], envelope["producer"], envelope["partitionKey"])
            if said != wanted:
                return f"{said} instead of {wanted}"
            if event.get_time() != datetime.datetime.fromisoformat(envelope["occurredAt"]):
                return f"time {event.get_time()} of {envelope['occurredAt']}"
            return None if event.get_data() == envelope else "other data"
        self.check(problem)

    def test_values_are_as_their_schemas_say(self):
        validators = {type_: generated.validator(schema) for type_, schema in generated.schemas().items()}
        self.check(lambda record: generated.problems(validators[record.json["eventType"]], record.json))

    def test_headers_are_as_described(self):
        validators = {type_: generated.validator(message["headers"]) for type_, message in self.described.items()}

        def problem(record):
            header = record.header
            if len(header) != len(record.headers):
                return "a header twice"
            unknown = header.keys() - self.described[record.json["eventType"]]["headers"]["properties"].keys()
            return [f"unknown {name}" for name in unknown] + generated.problems(validators[record.json["eventType"]], header)
        self.check(problem)

    def test_headers_say_what_the_value_says(self):
        def problem(record):
            header, envelope = record.header, record.json
            said = (header.get("correlationId"), header.get("traceparent", "--").split("-")[1], header["ce_time"])
            wanted = (envelope["correlationId"], envelope["traceId"], envelope["occurredAt"])
            return None if said == wanted else f"{said} instead of {wanted}"
        self.check(problem)

    def test_the_key_is_the_payloads(self):
        events = {event.type: event for event in generated.protos().events()}

        def problem(record):
            event, envelope = events[record.json["eventType"]], record.json
            (field,) = [field for field in event.message.fields if field.name == event.key]
            keys = {record.key, record.header["ce_partitionkey"], envelope["partitionKey"], envelope["payload"][field.json_name]}
            if record.topic != event.topic:
                return f"{event.type} in the topic {record.topic}"
            return None if len(keys) == 1 and record.key else f"keys {keys}"
        self.check(problem)

    def test_a_key_stays_in_its_partition(self):
        partitions = collections.defaultdict(set)
        for record in self.records:
            partitions[record.topic, record.header["tenantId"], record.key].add(record.partition)
        self.assertEqual({}, {key: found for key, found in partitions.items() if len(found) > 1})

    def series(self, topic):
        """{(tenant, key): its events in their order, each once}."""
        series = collections.defaultdict(list)
        for record in self.by_id.values():
            if record.topic == topic:
                series[record.header["tenantId"], record.key].append(record)
        self.assertTrue(series, topic)
        return series

    def test_versions_of_orders_and_products(self):
        """From 1, one more with each change; the events of one change share it and are of different types."""
        for topic in "ecommerce.order.order", "ecommerce.product.product":
            for key, records in self.series(topic).items():
                versions = [int(record.header["aggregateVersion"]) for record in records]
                changes = sorted(set(versions))
                with self.subTest(f"{topic} {key}"):
                    self.assertEqual(versions, sorted(versions))
                    self.assertEqual(changes, list(range(1, len(changes) + 1)))
                    events = [(version, record.json["eventType"]) for version, record in zip(versions, records)]
                    self.assertEqual(len(set(events)), len(events), events)

    def test_versions_of_prices(self):
        """The product's at the change: they never fall, and the product has had them."""
        products = {key: {record.header["aggregateVersion"] for record in records}
                    for key, records in self.series("ecommerce.product.product").items()}
        for topic in "ecommerce.pricing.price", "ecommerce.pricing.flash_sale":
            for key, records in self.series(topic).items():
                versions = [record.header["aggregateVersion"] for record in records]
                with self.subTest(f"{topic} {key}"):
                    self.assertEqual(versions, sorted(versions, key=int))
                    self.assertEqual(set(), set(versions) - products[key])

    def test_versions_of_stock(self):
        """Each place's from 1, one more with each change; the event's is the sum of those of its SKU's places."""
        for key, records in self.series("ecommerce.inventory.stock").items():
            places = {}
            with self.subTest(key):
                for record in records:
                    payload = record.json["payload"]
                    self.assertTrue(payload["locations"], record.place)
                    for place in payload["locations"]:
                        name = payload["sku"], place["locationCode"]
                        self.assertEqual(place["version"], places.get(name, 0) + 1, f"{record.place}: {name}")
                        places[name] = place["version"]
                    total = sum(version for (sku, _), version in places.items() if sku == payload["sku"])
                    self.assertEqual(int(record.header["aggregateVersion"]), total, record.place)

    def test_versions_of_quotas(self):
        """Each from 1, one more with each change."""
        for key, records in self.series("ecommerce.inventory.quota").items():
            with self.subTest(key):
                self.assertEqual([record.json["payload"]["version"] for record in records], list(range(1, len(records) + 1)))
                self.assertEqual({record.json["payload"]["version"] - int(record.header["aggregateVersion"]) for record in records}, {0})

    def test_versions_of_payments(self):
        """They grow; what is begun and has no outcome takes one too."""
        for key, records in self.series("ecommerce.payment.payment").items():
            versions = [int(record.header["aggregateVersion"]) for record in records]
            with self.subTest(key):
                self.assertEqual(versions, sorted(set(versions)))

    def test_versions_of_reservations(self):
        """Three a version of the cart's item: asked for, answered, ended. Each writer's grow."""
        steps = {"requested": 0, "held": 1, "rejected": 1, "released": 2, "expired": 2}
        for key, records in self.series("ecommerce.inventory.reservation").items():
            last = {}
            with self.subTest(key):
                for record in records:
                    version, step = int(record.header["aggregateVersion"]), steps[record.json["eventType"].split(".")[-2]]
                    self.assertEqual(version, 3 * record.json["payload"]["itemVersion"] + step, record.place)
                    producer = record.json["producer"]
                    self.assertGreater(version, last.get(producer, -1), record.place)
                    last[producer] = version

    def test_versions_of_reports(self):
        for key, records in self.series("ecommerce.inventory.device").items():
            with self.subTest(key):
                for record in records:
                    received = moment(record.json["payload"]["receivedAt"])
                    self.assertAlmostEqual(received, int(record.header["aggregateVersion"]) / 1e6, 5, record.place)

    def test_versions_of_subscriptions(self):
        for key, records in self.series("ecommerce.webhook.subscription").items():
            versions = [int(record.header["aggregateVersion"]) for record in records]
            with self.subTest(key):
                self.assertEqual(versions, sorted(set(versions)))

    def test_versions_of_people(self):
        for topic in ("ecommerce.identity.access", "ecommerce.identity.staff"):
            for key, records in self.series(topic).items():
                versions = [int(record.header["aggregateVersion"]) for record in records]
                with self.subTest(f"{topic} {key}"):
                    self.assertEqual(versions, sorted(set(versions)))


if __name__ == "__main__":
    unittest.main()
