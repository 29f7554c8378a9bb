#include "services/mqtt-ingest/events/outgoing.h"

#include "commerce/inventory/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/dead_letters.h"
#include "services/mqtt-ingest/events/report.h"

namespace bv::mqtt_ingest {
namespace {

constexpr char kName[] = "mqtt-ingest";
constexpr std::size_t kReasonBytesMax = 2'000;

const events::EventType& Type() {
  return events::TypeOf<commerce::inventory::v1::DeltaReported>();
}

std::string Rfc3339Micros(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

absl::StatusOr<events::OutboxRow> RowOf(const Received& received) {
  ASSIGN_OR_RETURN(const Report report, ReadReport(received));
  return DeltaReportedRow(report);
}

}  // namespace

Topics::Topics(std::string event_topic)
    : events(std::move(event_topic)), dead_letters(kafka::DeadLetterTopic(events, kName)) {}

Outgoing EventOf(const Topics& topics, const events::OutboxRow& row) {
  return {.topic = topics.events,
          .key = row.key,
          .value = row.payload,
          .headers = {{"ce_id", row.id},
                      {"ce_type", row.type},
                      {"ce_source", Type().producer},
                      {"ce_time", Rfc3339Micros(row.occurred_at)},
                      {"ce_specversion", "1.0"},
                      {"ce_partitionkey", row.key},
                      {"traceparent", row.traceparent},
                      {"aggregateVersion", Concat(row.aggregate_version)},
                      {"tenantId", row.tenant},
                      {"correlationId", row.correlation_id}}};
}

Outgoing DeadLetterOf(const Topics& topics, const Received& received, std::int64_t position,
                      const absl::Status& why) {
  const std::string reason = ErrorReason(why);
  const std::string field = GetErrorDetail(why).field;
  std::string text = Concat(field, field.empty() ? "" : " ", Std(why.message())).substr(0, kReasonBytesMax);
  return {.topic = topics.dead_letters,
          .key = received.account.empty() ? received.topic : received.account,
          .value = received.payload,
          .headers = {{"__connect.errors.topic", received.topic},
                      {"__connect.errors.partition", "0"},
                      {"__connect.errors.offset", Concat(position)},
                      {"__connect.errors.connector.name", kName},
                      {"__connect.errors.exception.class.name",
                       reason.empty() ? absl::StatusCodeToString(why.code()) : reason},
                      {"__connect.errors.exception.message", std::move(text)},
                      {"account", received.account},
                      {"messageId", received.id},
                      {"payloadBytes", Concat(received.payload_bytes)},
                      {"receivedAt", Rfc3339Micros(received.at)}}};
}

Outgoing OutgoingOf(const Topics& topics, const Received& received, std::int64_t position) {
  const absl::StatusOr<events::OutboxRow> row = RowOf(received);
  return row.ok() ? EventOf(topics, *row) : DeadLetterOf(topics, received, position, row.status());
}

}  // namespace bv::mqtt_ingest
