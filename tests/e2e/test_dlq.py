"""What an operator decides about dead letters, as the topics have it afterwards."""

import unittest

import confluent_kafka

from support import connect, stack
from support.shop import unique

from bvtool import dlq
from bvtool.console import Failure

VALUE = '{"ü":\n"a=b"}'


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
        [record] = self.kafka.read(self.retry)
        self.assertEqual((record.key, record.value), (f"{self.topic}@5", VALUE))
        written_at = record.headers.pop("retry.writtenAt")
        self.assertGreater(int(written_at), 0)
        self.assertEqual(record.headers, {
            "tenantId": "acme", "retry.state": "parked", "retry.topic": self.topic, "retry.partition": "2", "retry.offset": "5",
            "retry.writer": "tools/bv", "retry.key": "ORD-1", "retry.attempts": "8", "retry.pauses": "0", "retry.due": "0",
            "retry.why": "redriven"})
        self.assertEqual([letter.number for letter in dlq.open_letters(self.kafka, self.dead)], [1])

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
        self.assertEqual([(record.value, record.headers["retry.state"]) for record in self.kafka.read(self.retry)], [(None, "done")] * 2)
        self.assertEqual(dlq.open_letters(self.kafka, self.dead), [])
        decisions = self.kafka.read(self.dead)[2:]
        self.assertEqual([(decision.headers[dlq.DECISION], decision.headers["bv.why"]) for decision in decisions],
                         [("dropped", "nobody wants it")] * 2)
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


if __name__ == "__main__":
    unittest.main()
