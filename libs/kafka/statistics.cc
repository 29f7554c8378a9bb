#include "libs/kafka/statistics.h"

#include <rapidjson/document.h>

#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

std::int64_t Number(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsInt64() ? member->value.GetInt64() : 0;
}

std::string Text(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return {};
  return {member->value.GetString(), member->value.GetStringLength()};
}

}  // namespace

absl::StatusOr<Statistics> ParseStatistics(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject())
    return absl::InvalidArgumentError("not a JSON object");
  Statistics statistics{.queued_records = Number(document, "msg_cnt"),
                        .queued_bytes = Number(document, "msg_size")};
  const auto brokers = document.FindMember("brokers");
  if (brokers == document.MemberEnd() || !brokers->value.IsObject()) return statistics;
  for (const auto& [name, broker] : brokers->value.GetObject()) {
    if (!broker.IsObject() || Number(broker, "nodeid") < 0) continue;
    BrokerStatistics entry{.name = Text(broker, "nodename"),
                           .up = Text(broker, "state") == "UP",
                           .wanted = Text(broker, "state") != "INIT",
                           .retries = Number(broker, "txretries"),
                           .timeouts = Number(broker, "req_timeouts")};
    if (const auto rtt = broker.FindMember("rtt"); rtt != broker.MemberEnd() && rtt->value.IsObject()) {
      entry.round_trip_p50 = absl::Microseconds(Number(rtt->value, "p50"));
      entry.round_trip_p99 = absl::Microseconds(Number(rtt->value, "p99"));
    }
    statistics.brokers.push_back(std::move(entry));
  }
  return statistics;
}

void Publish(const Statistics& statistics) {
  using telemetry::Gauge;
  static prometheus::Gauge& records =
      Gauge("kafka_producer_queue_records", "Records that Kafka has not acknowledged yet.");
  static prometheus::Gauge& bytes = Gauge("kafka_producer_queue_bytes", "Their size in bytes.");
  records.Set(static_cast<double>(statistics.queued_records));
  bytes.Set(static_cast<double>(statistics.queued_bytes));
  for (const BrokerStatistics& broker : statistics.brokers) {
    const telemetry::Labels labels = {{"broker", broker.name}};
    Gauge("kafka_broker_up", "1 while connected to the broker.", labels).Set(broker.up ? 1 : 0);
    Gauge("kafka_broker_retries", "Requests sent again since the client was made.", labels)
        .Set(static_cast<double>(broker.retries));
    Gauge("kafka_broker_timeouts", "Requests that timed out since the client was made.", labels)
        .Set(static_cast<double>(broker.timeouts));
    Gauge("kafka_broker_round_trip_p50_seconds", "Median round trip to the broker.", labels)
        .Set(absl::ToDoubleSeconds(broker.round_trip_p50));
    Gauge("kafka_broker_round_trip_p99_seconds", "99th percentile of the round trip to the broker.", labels)
        .Set(absl::ToDoubleSeconds(broker.round_trip_p99));
  }
}

}  // namespace bv::kafka
