"""Where a stack keeps its spans: Rotel, an OpenTelemetry collector, takes them by OTLP and writes them to a topic of the stack's Kafka, which keeps
the newest. Run by the stack: collector.py HOST HTTP-PORT GRPC-PORT BROKERS makes the topic and becomes the collector."""

import importlib.util
import os
import pathlib
import sys

TOPIC = "bivouac.telemetry.spans"
# The newest 64 MiB, and of those a day.
RETENTION = {"retention.bytes": str(64 << 20), "segment.bytes": str(8 << 20), "retention.ms": str(24 * 3600 * 1000)}
# Of one record: at about 1 KB a span it stays below what the broker takes.
SPANS_MAX = 512
KAFKA_PATIENCE = 30.0  # seconds


def make_topic(brokers):
    from confluent_kafka import KafkaError, KafkaException, admin  # of the venv, which only the collector's process has

    client = admin.AdminClient({"bootstrap.servers": brokers})
    made = client.create_topics([admin.NewTopic(TOPIC, num_partitions=1, replication_factor=1, config=RETENTION)],
                                operation_timeout=KAFKA_PATIENCE)
    try:
        made[TOPIC].result(KAFKA_PATIENCE)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def become(host, http, grpc, brokers):
    package = importlib.util.find_spec("rotel")
    agent = pathlib.Path(package.origin).with_name("rotel-agent")
    os.execv(agent, [str(agent), "start", "--otlp-http-endpoint", f"{host}:{http}", "--otlp-grpc-endpoint", f"{host}:{grpc}",
                     "--otlp-receiver-metrics-disabled", "--otlp-receiver-logs-disabled",
                     "--batch-max-size", str(SPANS_MAX), "--exporter", "kafka", "--kafka-exporter-brokers", brokers,
                     "--kafka-exporter-traces-topic", TOPIC, "--kafka-exporter-format", "json", "--kafka-exporter-compression", "lz4"])


if __name__ == "__main__":
    make_topic(sys.argv[4])
    become(*sys.argv[1:])
