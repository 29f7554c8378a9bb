"""A stock consumer of the events: a common Kafka client, and the SDK of CloudEvents."""

import json
import time
import typing

import confluent_kafka
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from support import stack


class Record(typing.NamedTuple):
    topic: str
    partition: int
    offset: int
    key: str
    headers: typing.List[typing.Tuple[str, bytes]]
    value: bytes

    @property
    def header(self):
        """As text; what is none, such as the bytes of a schema's id, with escapes."""
        return {name: value.decode(errors="backslashreplace") for name, value in self.headers}

    @property
    def json(self):
        return json.loads(self.value)

    @property
    def place(self):
        return f"{self.topic}[{self.partition}]@{self.offset}"

    def cloud_event(self) -> BaseCloudEvent:
        """As the SDK reads it in binary mode; it throws when an attribute is missing or not legal."""
        return from_binary(KafkaMessage(headers=dict(self.headers), key=self.key, value=self.value), JSONFormat())


def read_all(topics, within=60.0):
    """All records of these topics, from their beginning to their end of now; by partition in the order of their offsets."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": stack.env("BV_KAFKA_BROKERS"), "group.id": "never-committed", "enable.auto.commit": False,
        "enable.partition.eof": True})
    try:
        known = consumer.list_topics(timeout=20).topics
        left = {(topic, partition) for topic in topics for partition in known[topic].partitions}
        consumer.assign([confluent_kafka.TopicPartition(*place, confluent_kafka.OFFSET_BEGINNING) for place in left])
        records, deadline = [], time.monotonic() + within
        while left:
            if time.monotonic() > deadline:
                raise AssertionError(f"no end of {sorted(left)} within {within:g} s")
            for message in consumer.consume(1000, timeout=0.2):
                if message.error() is None:
                    records.append(Record(message.topic(), message.partition(), message.offset(), message.key().decode(),
                                          message.headers() or [], message.value()))
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    left.discard((message.topic(), message.partition()))
                elif not message.error().retriable():
                    raise confluent_kafka.KafkaException(message.error())
        return records
    finally:
        consumer.close()
