#include "services/outbox-relay/relay/metrics.h"

namespace bv::relay {

Metrics::Metrics()
    : lag_bytes(telemetry::Gauge("outbox_relay_lag_bytes",
                                 "Bytes of the write-ahead log that are not confirmed yet.")),
      lag_seconds(telemetry::Gauge("outbox_relay_lag_seconds",
                                   "How long the oldest part of the log that is not confirmed has waited.")),
      oldest_event_seconds(
          telemetry::Gauge("outbox_relay_oldest_event_seconds",
                           "The age of the oldest event that was read and is not acknowledged.")),
      slot_room_bytes(
          telemetry::Gauge("outbox_relay_slot_room_bytes",
                           "Bytes of log that may be written before PostgreSQL gives the slot up.")),
      records_in_flight(
          telemetry::Gauge("outbox_relay_in_flight_records", "Events handed to Kafka and not acknowledged.")),
      bytes_in_flight(telemetry::Gauge("outbox_relay_in_flight_bytes", "The size of these events.")),
      is_leader(telemetry::Gauge("outbox_relay_is_leader",
                                 "1 for the relay that holds the slot, 0 for a standby.")),
      blocked(telemetry::Gauge("outbox_relay_blocked",
                               "1 while an event that Kafka refuses stops everything behind it.")),
      published(telemetry::Counter("outbox_relay_events_published_total", "Events that Kafka acknowledged.")),
      produce_errors(telemetry::Counter("outbox_relay_produce_errors_total", "Events that Kafka refused.")),
      restarts(telemetry::Counter("outbox_relay_restarts_total",
                                  "Times that publishing began again after an error.")),
      rescanned(telemetry::Counter("outbox_relay_rescanned_events_total",
                                   "Events published again because a slot was new.")),
      partitions_dropped(
          telemetry::Counter("outbox_relay_partitions_dropped_total", "Partitions of the outbox dropped.")),
      publish_latency(telemetry::Histogram("outbox_relay_publish_latency_seconds",
                                           "From the commit in PostgreSQL to Kafka's acknowledgement.",
                                           telemetry::LatencySeconds())) {}

}  // namespace bv::relay
