"""The relay against what goes wrong around it for longer: Kafka away, PostgreSQL killed, the relay itself dead until PostgreSQL gives its slot
up. Every committed event comes, in the order of its key, and the disk does not fill."""

import os
import signal
import time
import unittest

from support import connect, kafka, ledger, postgres, stack, wait
from support.shop import Shop, unique

# How long Kafka is away; minutes make the same test, only slower.
AWAY_SECONDS = float(os.environ.get("BIVOUAC_OUTAGE_SECONDS", "20"))
KEYS = 8
ROWS = 20  # of a transaction
BOUND_MB = 64


class Relay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack.await_ready()
        cls.topic = unique("test.relay")
        connect.make_topic(cls.topic, 12)

    def setUp(self):
        stack.await_ready()
        self.addCleanup(stack.await_ready)
        self.tenant = unique("relay")
        self.committed = 0
        self.tail = kafka.Tail(self.topic)
        self.addCleanup(self.tail.close)

    def commit(self, transactions=1):
        """Of rows numbered by key."""
        for _ in range(transactions):
            postgres.execute(f"""
                INSERT INTO outbox.event (tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version)
                SELECT '{self.tenant}', gen_random_uuid(), '{self.topic}', '{self.tenant}-' || number % {KEYS}, 'test.relay.counted.v1', '{{}}',
                       number / {KEYS}
                FROM generate_series({self.committed}, {self.committed + ROWS - 1}) AS number""")
            self.committed += ROWS

    def arrived(self):
        return [(message.key, int(message.header["aggregateVersion"])) for message in self.tail.messages()
                if message.key.startswith(self.tenant)]

    def check(self, within=60):
        """Waits for every event; by key, each came for the first time behind the one before it. Returns how many came again."""
        wait.until(lambda: len(set(self.arrived())) >= self.committed, within, f"{self.committed} events on Kafka", every=0.2)
        arrived = self.arrived()
        self.assertEqual(self.committed, len(set(arrived)))
        highest = {}
        for key, number in arrived:
            self.assertLessEqual(number, highest.get(key, -1) + 1, f"{key} jumps")
            highest[key] = max(number, highest.get(key, -1))
        return len(arrived) - self.committed

    def metric(self, name):
        return stack.metric("outbox-relay", f"outbox_relay_{name}")

    def test_kafka_away_for_long(self):
        shop = Shop()
        self.addCleanup(shop.close)
        sku = shop.product(1.00, stock=1_000_000)["sku"]
        tails = ledger.tails(kafka.now())
        for tail in tails.values():
            self.addCleanup(tail.close)
        self.commit(5)
        self.assertEqual(0, self.check())
        pid = stack.send_signal("kafka", signal.SIGSTOP)
        away_since = time.monotonic()
        try:
            orders = 0
            while time.monotonic() < away_since + AWAY_SECONDS:
                self.commit()
                shop.must(201, shop.order([(sku, 1)], unique("key")))
                orders += 1
            # It says so: by both clocks, and by what is held back.
            wait.until(lambda: self.metric("lag_seconds") >= AWAY_SECONDS - 10 and self.metric("oldest_event_seconds") >= AWAY_SECONDS - 5,
                       30, "a lag in seconds")
            self.assertGreater(self.metric("lag_bytes"), self.committed * 100)
        finally:
            os.kill(pid, signal.SIGCONT)
        back_since = time.monotonic()
        again = self.check()
        print(f"{self.committed} events and {orders} orders while Kafka was away for {back_since - away_since:.0f} s; all of them there, "
              f"{again} twice, {time.monotonic() - back_since:.1f} s after it was back")
        ledger.check_events(self, shop.tenant, tails)
        ledger.check_orders(self, shop.tenant)
        wait.until(lambda: self.metric("lag_seconds") < 1 and self.metric("oldest_event_seconds") < 1, 30, "no lag")

    def test_postgres_killed(self):
        relay = stack.pids()["outbox-relay"]
        for _ in range(3):
            self.commit(10)
            pid = stack.send_signal("postgres", signal.SIGKILL)
            stack.await_restart("postgres", pid)
        self.commit(10)
        # The relay lives and knows what it had confirmed, though PostgreSQL does not any more.
        print(f"{self.committed} events, {self.check()} of them again")
        stack.await_ready()
        self.assertEqual(relay, stack.pids()["outbox-relay"])

    def test_a_dead_relay_does_not_fill_the_disk(self):
        self.commit(5)
        self.check()
        rescanned = self.metric("rescanned_events_total")
        postgres.execute(f"ALTER SYSTEM SET max_slot_wal_keep_size = '{BOUND_MB}MB'")
        self.addCleanup(postgres.execute, "SELECT pg_reload_conf()")
        self.addCleanup(postgres.execute, "ALTER SYSTEM RESET max_slot_wal_keep_size")
        postgres.execute("SELECT pg_reload_conf()")
        wait.until(lambda: self.metric("slot_room_bytes") <= (BOUND_MB + 16) * 2**20, 30, "the relay to see the bound")
        pid = stack.send_signal("outbox-relay", signal.SIGSTOP)
        try:
            self.commit(5)
            for _ in range(2 * BOUND_MB // 16 + 2):
                postgres.execute("SELECT pg_logical_emit_message(false, 'test', 'x'), pg_switch_wal()")
            postgres.execute("CHECKPOINT")
            state = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'bv_outbox'"
            wait.until(lambda: postgres.value(state) == "lost", 30, "the slot to be given up")
            self.commit(5)
        finally:
            os.kill(pid, signal.SIGCONT)
        # Made anew, it begins at "now": what was missed comes from the table.
        self.check()
        self.assertGreater(self.metric("rescanned_events_total"), rescanned)
        wait.until(lambda: postgres.value(state) == "reserved", 30, "a slot again")


if __name__ == "__main__":
    unittest.main()
