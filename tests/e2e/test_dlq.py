"""What an operator decides about dead letters: as the topics have it afterwards, and as the consumers of the fleet understand it."""

import datetime
import json
import subprocess
import sys
import unittest

import confluent_kafka

from e2e import test_cart_holds as carts
from support import connect, kafka, stack, wait
from support.shop import Shop, unique

from bvtool import dlq
from bvtool.console import Failure

VALUE = '{"ü":\n"a=b"}'
# A group of the fleet, and the topic it reads.
REQUESTS, GROUP = "ecommerce.inventory.reservation", "inventory-holds"


def bv(*arguments):
    """(exit code, what it says) of `tools/bv dlq`."""
    done = subprocess.run([sys.executable, "-B", str(stack.BV), "dlq", *arguments, "--stack", stack.env("BV_STACK")],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def records(topic, count):
    """What stands in a topic, when there are so many."""
    with kafka.Tail(topic) as tail:
        return wait.until(lambda: len(tail.messages()) >= count and tail.messages(), what=f"{count} records of {topic}")


class Interrupted(dlq.Kafka):
    """Killed after so many writes."""

    def __init__(self, brokers, writes):
        super().__init__(brokers)
        self._left = writes

    def write(self, *record):
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        super().write(*record)


class DeadLetters(unittest.TestCase):
    def setUp(self):
        self.topic = unique("test.dlq")
        self.dead, self.retry = f"{self.topic}.g.dlq", f"{self.topic}.g.retry"
        connect.make_topic(self.dead, 1)
        connect.make_topic(self.retry, 3)
        self.kafka = dlq.Kafka(stack.env("BV_KAFKA_BROKERS"))
        for offset in (5, 9):
            self.put(self.dead, offset)

    def put(self, dead, offset):
        self.kafka.write(dead, 0, "ORD-1", VALUE, {
            "tenantId": "acme", "group": "g", "attempts": "8", "eventId": "e", dlq.ORIGIN + "topic": self.topic,
            dlq.ORIGIN + "partition": "2", dlq.ORIGIN + "offset": str(offset), dlq.ORIGIN + "exception.class.name": "INTERNAL",
            dlq.ORIGIN + "exception.message": "sick = bad"})

    def test_a_redriven_letter_is_parked_anew_in_its_place(self):
        dlq.redrive(self.kafka, self.dead, 0)
        [record] = records(self.retry, 1)
        self.assertEqual((record.partition, record.key, record.value), (2, f"{self.topic}@5", VALUE))
        headers = record.header
        written_at = headers.pop("retry.writtenAt")
        self.assertGreater(int(written_at), 0)
        self.assertEqual(headers, {
            "tenantId": "acme", "retry.state": "parked", "retry.topic": self.topic, "retry.partition": "2", "retry.offset": "5",
            "retry.writer": "tools/bv", "retry.key": "ORD-1", "retry.attempts": "8", "retry.pauses": "0", "retry.due": "0",
            "retry.why": "redriven"})
        self.assertEqual([letter.number for letter in dlq.open_letters(self.kafka, self.dead)], [1])

    def test_all_are_redriven_the_oldest_first(self):
        self.assertEqual(0, bv("redrive", self.dead, "--all")[0])
        self.assertEqual([(2, f"{self.topic}@5"), (2, f"{self.topic}@9")], [(record.partition, record.key) for record in records(self.retry, 2)])
        self.assertEqual(dlq.open_letters(self.kafka, self.dead), [])

    def test_what_waits_is_listed_and_shown(self):
        self.assertEqual(0, bv("drop", self.dead, "--offset", "0", "--why", "enough")[0])
        [left] = json.loads(bv("show", self.dead, "--json")[1])
        self.assertEqual((1, "ORD-1", VALUE, "8"), (left["number"], left["key"], left["value"], left["headers"]["attempts"]))
        oldest = datetime.datetime.fromtimestamp(left["written_at"] / 1000, datetime.timezone.utc).isoformat(timespec="seconds")
        rows = [row for row in json.loads(bv("list", "--json")[1]) if row["topic"] == self.dead]
        self.assertEqual([{"topic": self.dead, "open": 1, "keys": 1, "oldest": oldest}], rows)
        said = bv("show", self.dead, "--offset", "1")[1]
        for part in ("key ORD-1", f"from {self.topic}/2/9", "INTERNAL: sick = bad", "attempts=8", VALUE):
            self.assertIn(part, said)

    def test_what_is_not_said_clearly_is_not_done(self):
        for arguments, words in ((("redrive", self.dead), "--offset N, or --all"), (("drop", self.dead, "--why", "enough"), "--offset N, or --all"),
                                 (("drop", self.dead, "--all"), "--why TEXT"), (("redrive", self.dead, "--offset", "7"), "no open letter 7"),
                                 (("redrive", self.topic, "--all"), "is no dead-letter topic")):
            with self.subTest(arguments):
                code, said = bv(*arguments)
                self.assertEqual(1, code)
                self.assertIn(words, said)
        self.assertEqual([letter.number for letter in dlq.open_letters(self.kafka, self.dead)], [0, 1])
        self.assertEqual([], self.kafka.read(self.retry))

    def test_what_is_broken_off_is_done_again(self):
        for decide in (lambda to: dlq.redrive(to, self.dead, 0), lambda to: dlq.drop(to, self.dead, 1, "enough")):
            before = len(self.kafka.read(self.retry))
            with self.assertRaises(KeyboardInterrupt):
                decide(Interrupted(self.kafka.brokers, 1))
            decide(self.kafka)
            self.assertGreater(len(self.kafka.read(self.retry)), before)
        self.assertEqual(dlq.open_letters(self.kafka, self.dead), [])
        self.assertEqual({"redriven", "dropped"}, {letter.headers[dlq.DECISION] for letter in self.kafka.read(self.dead)[2:]})

    def test_a_letter_with_bytes_in_its_headers_is_redriven_too(self):
        dead = f"{self.topic}.h.dlq"
        connect.make_topic(dead, 1)
        connect.make_topic(f"{self.topic}.h.retry", 3)
        producer = confluent_kafka.Producer({"bootstrap.servers": stack.env("BV_KAFKA_BROKERS")})
        producer.produce(dead, VALUE.encode(), "ORD-1", headers={
            "tenantId": "acme", "__value_schema_id": b"\0\0\0\0\xc8", dlq.ORIGIN + "topic": self.topic, dlq.ORIGIN + "partition": "2",
            dlq.ORIGIN + "offset": "5"})
        self.assertEqual(0, producer.flush(20))
        dlq.show(self.kafka, dead, 0, False)
        dlq.redrive(self.kafka, dead, 0)
        [record] = self.kafka.read(f"{self.topic}.h.retry")
        self.assertEqual(("acme", VALUE), (record.headers["tenantId"], record.value))

    def test_a_dropped_letter_leaves_a_record(self):
        dlq.drop(self.kafka, self.dead, None, "nobody wants it")
        self.assertEqual([(record.partition, record.key, record.value, record.header["retry.state"]) for record in records(self.retry, 2)],
                         [(2, f"{self.topic}@{offset}", None, "done") for offset in (5, 9)])
        self.assertEqual(dlq.open_letters(self.kafka, self.dead), [])
        decisions = self.kafka.read(self.dead)[2:]
        self.assertEqual([(decision.headers[dlq.DECISION], decision.headers["bv.why"]) for decision in decisions],
                         [("dropped", "nobody wants it")] * 2)
        for decision in decisions:
            self.assertTrue(decision.headers["bv.by"])
            self.assertLessEqual(datetime.datetime.fromisoformat(decision.headers["bv.at"]), datetime.datetime.now(datetime.timezone.utc))
        with self.assertRaises(Failure):
            dlq.drop(self.kafka, self.dead, 0, "again")

    def test_what_a_read_model_refused_is_mended_by_a_replay(self):
        dead = f"{self.topic}.rows.dlq"
        connect.make_topic(dead, 1)
        self.put(dead, 5)
        with self.assertRaisesRegex(Failure, r"tools/bv replay <projection>"):
            dlq.redrive(self.kafka, dead, None)
        self.assertEqual([letter.number for letter in dlq.open_letters(self.kafka, dead)], [0])
        dlq.drop(self.kafka, dead, None, "the rows were made anew")
        self.assertEqual(dlq.open_letters(self.kafka, dead), [])


class OfTheFleet(unittest.TestCase):
    """A request for a hold is dead, as after its last attempt, so that the later ones of its item wait."""

    def setUp(self):
        stack.await_ready()
        self.kafka = dlq.Kafka(stack.env("BV_KAFKA_BROKERS"))
        self.shop = Shop(carts.TENANT)
        self.addCleanup(self.shop.close)
        self.buyer = carts.Buyer(self.shop)
        self.addCleanup(self.buyer.close)
        self.sku = self.shop.product(stock=5)["sku"]

    def parked(self):
        return sum(stack.metric(service, "consumer_parked_events", group=GROUP) or 0 for service in carts.INVENTORIES)

    def bury(self):
        """Puts the item's first request where its last failure would have put it; returns the letter's number."""
        hold = self.buyer.await_hold(self.sku, "HELD")
        with kafka.Tail(REQUESTS) as tail:
            event = tail.find(hold["reservationId"])
        headers = {name: text for name, text in event.headers if name != dlq.SCHEMA_ID}
        place = {"topic": REQUESTS, "partition": event.partition, "offset": event.offset}
        dead = f"{REQUESTS}.{GROUP}.dlq"
        self.kafka.write(dead, 0, event.key, event.value, {**headers, **{dlq.ORIGIN + name: text for name, text in place.items()}})
        self.kafka.write(f"{REQUESTS}.{GROUP}.retry", event.partition, f"{REQUESTS}@{event.offset}", event.value, {
            **headers, **{f"retry.{name}": text for name, text in place.items()}, "retry.state": "dead", "retry.writer": "a member",
            "retry.key": event.key, "retry.writtenAt": "1", "retry.attempts": "8", "retry.pauses": "4", "retry.due": "0", "retry.why": "sick"})
        return dlq.open_letters(self.kafka, dead)[-1].number

    def test_what_is_parked_behind_a_letter_waits_for_the_decision(self):
        before = self.parked()
        self.buyer.put(self.sku, 1)
        for action, *why in (["redrive"], ["drop", "--why", "enough"]):
            with self.subTest(action):
                number = self.bury()
                wait.until(lambda: self.parked() == before + 1, what="a dead letter that is known")
                for qty in (2, 3):
                    self.buyer.put(self.sku, qty)
                wait.until(lambda: self.parked() == before + 3, what="what follows it, parked")
                self.assertEqual("REQUESTED", self.buyer.hold(self.sku)["status"])
                code, said = bv(action, f"{REQUESTS}.{GROUP}.dlq", "--offset", str(number), *why)
                self.assertEqual(0, code, said)
                self.assertEqual(3, self.buyer.await_hold(self.sku, "HELD")["qty"])
                wait.until(lambda: self.parked() == before, what="nothing parked")


if __name__ == "__main__":
    unittest.main()
