#include "services/mqtt-ingest/ingest/forwarder.h"

#include <absl/time/clock.h>

#include "libs/base/crash_point.h"
#include "libs/base/macros.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"
#include "services/mqtt-ingest/ingest/received.h"

namespace bv::mqtt_ingest {
namespace {

using telemetry::Level;

// How long a look into the journal waits for the first message.
constexpr absl::Duration kPatience = absl::Seconds(1);

prometheus::Counter& CounterOf(const char* outcome) {
  return telemetry::Counter("mqtt_ingest_messages_total", "Messages of devices that are in Kafka.",
                            {{"outcome", outcome}});
}

}  // namespace

void ForwarderSettings::Bind(config::Binder& b) {
  b.Text("kafka.brokers", brokers);
  b.Text("kafka.topic", topic);
  b.Integer("kafka.batch_bytes", batch_bytes, {1'024, 16 << 20});
}

Forwarder::Forwarder(const ForwarderSettings& settings, Journal& journal)
    : settings_(settings),
      topics_(settings.topic),
      journal_(journal),
      writer_({.brokers = settings.brokers}, "mqtt-ingest"),
      forwarded_(CounterOf("event")),
      refused_(CounterOf("dead_letter")),
      failures_(telemetry::Counter("mqtt_ingest_failures_total",
                                   "Batches that Kafka did not take; they come again.")),
      oldest_(telemetry::Gauge(
          "mqtt_ingest_oldest_seconds",
          "Age of the oldest message of the batch that is on its way to Kafka; 0 without any.")) {}

void Forwarder::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Forwarder::Stop() {
  stopping_ = true;
  journal_.Close();
  if (thread_.joinable()) thread_.join();
}

void Forwarder::Run() {
  resilience::Backoff backoff({.min = absl::Milliseconds(50), .max = absl::Seconds(5)});
  while (!stopping_) {
    const absl::Status forwarded = Forward();
    if (forwarded.ok()) {
      backoff.Reset();
      continue;
    }
    failures_.Increment();
    telemetry::LogLimited(Level::kWarn, "messages wait for Kafka",
                          {{"bytes", journal_.bytes()}, {"error", forwarded}});
    journal_.AwaitClose(*backoff.Next());
  }
}

absl::Status Forwarder::Forward() {
  ASSIGN_OR_RETURN(const JournalBatch batch, journal_.Read(settings_.batch_bytes, kPatience));
  if (batch.end == batch.begin) {
    oldest_.Set(0);
    return absl::OkStatus();
  }
  const std::vector<Outgoing> outgoing = OutgoingOf(batch);
  RETURN_IF_ERROR(Write(outgoing));
  CrashPoint("mqtt-ingest.batch.written");
  RETURN_IF_ERROR(journal_.Store(batch.end));
  CrashPoint("mqtt-ingest.batch.stored");
  Count(outgoing);
  return absl::OkStatus();
}

std::vector<Outgoing> Forwarder::OutgoingOf(const JournalBatch& batch) {
  std::vector<Outgoing> outgoing;
  outgoing.reserve(batch.records.size());
  // So that every dead letter has a place of its own.
  std::int64_t position = batch.begin;
  for (const std::string& record : batch.records) {
    const absl::StatusOr<Received> received = Decode(record);
    if (received.ok()) {
      if (outgoing.empty()) oldest_.Set(absl::ToDoubleSeconds(absl::Now() - received->at));
      outgoing.push_back(mqtt_ingest::OutgoingOf(topics_, *received, position));
    } else {
      telemetry::Log(Level::kError, "a record of the journal is passed over", {{"error", received.status()}});
    }
    position += static_cast<std::int64_t>(record.size());
  }
  return outgoing;
}

absl::Status Forwarder::Write(const std::vector<Outgoing>& batch) {
  std::vector<std::vector<kafka::Header>> headers;
  std::vector<kafka::Record> records;
  headers.reserve(batch.size());
  records.reserve(batch.size());
  for (const Outgoing& each : batch) {
    headers.emplace_back();
    for (const auto& [name, value] : each.headers) headers.back().push_back({.name = name, .value = value});
    records.push_back({.topic = each.topic, .key = each.key, .value = each.value, .headers = headers.back()});
  }
  return writer_.Write(records);
}

void Forwarder::Count(const std::vector<Outgoing>& batch) {
  for (const Outgoing& each : batch) (each.topic == topics_.dead_letters ? refused_ : forwarded_).Increment();
}

}  // namespace bv::mqtt_ingest
