"""What an operator decides about dead letters, as the topics have it afterwards."""

import unittest

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
            self.kafka.write(self.dead, 0, "ORD-1", VALUE, {
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

    def test_a_dropped_letter_leaves_a_record(self):
        dlq.drop(self.kafka, self.dead, None, "nobody wants it")
        self.assertEqual([(record.value, record.headers["retry.state"]) for record in self.kafka.read(self.retry)], [(None, "done")] * 2)
        self.assertEqual(dlq.open_letters(self.kafka, self.dead), [])
        decisions = self.kafka.read(self.dead)[2:]
        self.assertEqual([(decision.headers[dlq.DECISION], decision.headers["bv.why"]) for decision in decisions],
                         [("dropped", "nobody wants it")] * 2)
        with self.assertRaises(Failure):
            dlq.drop(self.kafka, self.dead, 0, "again")


if __name__ == "__main__":
    unittest.main()
