"""Debezium as a drop-in for outbox-relay: both read the same rows of the outbox, and what they write is compared byte by byte. And the change
topics of the profile `cdc`."""

import contextlib
import itertools
import json
import unittest

from support import connect, kafka, postgres, stack, wait
from support.shop import Shop, unique

# Of columns that a row may leave out: Debezium then writes a header without a value, the relay none.
OPTIONAL = {"traceparent", "aggregateVersion", "correlationId"}
# Only the relay is told the schemas' ids.
OF_THE_RELAY = {"__value_schema_id"}
# As no service writes them, in SQL: blanks, a name twice, escapes; no members; long.
ODD_PAYLOADS = (postgres.quote('{ "producer" : "someone",\n\t"text":"ü €  \\u0000", "amount":129.50, "amount":129.5 }'), "'{}'",
                """'"' || repeat('x', 900000) || '"'""")


def shown(message, without=()):
    """What both have to write alike."""
    headers = {name: value for name, value in message.headers if value is not None and name not in {*without, *OF_THE_RELAY}}
    return message.partition, message.key, message.value, headers


class Debezium(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        stack.await_ready()
        cls.resources = contextlib.ExitStack()
        cls.addClassCleanup(cls.resources.close)
        cls.resources.enter_context(connect.worker())

    def setUp(self):
        self.shop = Shop()
        self.addCleanup(self.shop.close)

    def tail(self, topic):
        found = kafka.Tail(topic)
        self.addCleanup(found.close)
        return found

    def await_events(self, tail, count):
        """The messages of our tenant, by partition."""
        def there():
            found = [message for message in tail.messages() if message.header["tenantId"] == self.shop.tenant]
            return found if len(found) >= count else None
        found = wait.until(there, 60, f"{count} events")
        self.assertEqual(count, len(found))
        self.assertEqual(len({message.header["ce_id"] for message in found}), count, "an event came twice")
        return found

    def compare(self, topic, without=()):
        count = postgres.value(f"SELECT count(*) FROM outbox.event WHERE tenant_id = '{self.shop.tenant}' AND aggregatetype = '{topic}'")
        self.assertGreater(count, 0)
        ours = self.await_events(self.tail(topic), count)
        theirs = self.await_events(self.tail(connect.PREFIX + topic), count)
        for message in theirs:
            self.assertLessEqual({name for name, value in message.headers if value is None}, OPTIONAL)
        # In the order of each partition, too: both follow the log.
        for partition in {message.partition for message in ours}:
            pair = ([shown(message, without) for message in side if message.partition == partition] for side in (ours, theirs))
            for our, their in itertools.zip_longest(*pair):
                self.assertEqual(our, their)
        return count

    def live(self):
        """Products, stock, orders and payments of the fleet."""
        skus = [self.shop.product(25.00, stock=100)["sku"] for _ in range(3)]
        orders = [self.shop.must(201, self.shop.order([(sku, 1)], unique("key")))["orderId"] for sku in skus]
        self.shop.must(200, self.shop.customer.post(f"/api/v1/orders/{orders[0]}/pay", {}))
        self.shop.must(200, self.shop.customer.post(f"/api/v1/orders/{orders[1]}/cancel", {"reason": "CUSTOMER_REQUEST"}))
        return orders

    def insert(self, topic, payload, values="'demo-key', NULL, NULL, NULL", rows=1):
        postgres.execute(f"""
            INSERT INTO outbox.event (tenant_id, id, aggregatetype, type, payload, aggregateid, aggregate_version, traceparent, correlation_id)
            SELECT '{self.shop.tenant}', gen_random_uuid(), '{topic}', '{topic}.happened.v1', {payload}, {values}
            FROM generate_series(1, {rows}) AS number""")

    def test_writes_what_the_relay_writes(self):
        odd = unique("test.odd")
        connect.make_topic(odd, 12)
        with connect.connector("outbox", also="elsewhere", **connect.ELSEWHERE):
            self.live()
            for payload in ODD_PAYLOADS:
                self.insert(odd, payload)
            self.insert(odd, "'{}'", "'key-' || number % 40, number, '00-' || md5(number::text) || '-b7ad6b7169203331-00', 'ü ' || number", 1000)
            counts = {topic: self.compare(topic) for topic in (kafka.ORDERS, kafka.STOCK, kafka.PRODUCTS, "ecommerce.payment.payment")}
            # Of a type that the contract does not know, the connector does not know the producer.
            counts[odd] = self.compare(odd, without={"ce_source"})
        print(counts)

    def test_changes_of_orders_stock_and_products(self):
        connect.prepare_cdc()
        prefix, slot = unique("cdc"), unique("cdc").replace("-", "_")
        before = self.shop.product(25.00, stock=100)["sku"]
        with connect.connector("cdc", topic__prefix=prefix, slot__name=slot):
            orders = self.live()
            # Also what was there before: it comes as a snapshot.
            self.assertEqual("r", self.last_state(f"{prefix}.product.variant", "product.variant")[f"sku {before}"])
            self.last_state(f"{prefix}.product.product", "product.product")
            self.last_state(f"{prefix}.inventory.inventory_adjustment", "inventory.inventory_adjustment")
            operations = self.last_state(f"{prefix}.orders.orders", "orders.orders")
            self.assertEqual("u", operations[f"order_id {orders[0]}"])
            # Nor do quiet tables hold the log: what others write is let go.
            position = postgres.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 100000))")
            wait.until(lambda: postgres.value(f"SELECT confirmed_flush_lsn >= '{position}' FROM pg_replication_slots WHERE slot_name = '{slot}'"),
                       60, "the log to be confirmed")

    def last_state(self, topic, table):
        """Waits until the newest message of every key shows the row of the table; returns {"column value": operation of that message}."""
        rows = {self.name(row): row for row in postgres.rows(f"SELECT * FROM {table} WHERE tenant_id = '{self.shop.tenant}'")}
        self.assertTrue(rows)
        # Connect makes it with the first record.
        wait.until(lambda: kafka.exists(topic), 60, f"the topic {topic}", every=0.2)
        tail = self.tail(topic)

        def newest():
            found = {self.name(message.json["after"]): message for message in tail.messages()
                     if message.json["after"]["tenant_id"] == self.shop.tenant}
            states = {name: self.without_times(message.json["after"]) for name, message in found.items()}
            return found if states == {name: self.without_times(row) for name, row in rows.items()} else None
        found = wait.until(newest, 60, f"{table} in {topic}", every=0.2)
        for message in found.values():
            self.assertEqual(self.shop.tenant, json.loads(message.key)["tenant_id"])
        return {name: message.json["op"] for name, message in found.items()}

    @staticmethod
    def name(row):
        column = next(column for column in ("order_id", "adjustment_id", "sku", "product_id") if column in row)
        return f"{column} {row[column]}"

    @staticmethod
    def without_times(row):
        """PostgreSQL and Debezium write the same moment differently."""
        return {column: value for column, value in row.items() if not column.endswith("_at")}


if __name__ == "__main__":
    unittest.main()
