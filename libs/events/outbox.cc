#include "libs/events/outbox.h"

#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/events/schemas.h"
#include "libs/json/json.h"
#include "libs/telemetry/telemetry.h"

namespace bv::events {
namespace {

std::string Rfc3339Micros(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

}  // namespace

absl::Status AppendEnvelope(const google::protobuf::Message& payload, const OutboxRow& row,
                            std::string_view trace_id, std::string& out) {
  const EventType& type = TypeOf(*payload.GetDescriptor());
  const auto append = [&out](std::string_view name, std::string_view value) {
    json::AppendString(name, out);
    out += ':';
    json::AppendString(value, out);
    out += ',';
  };
  out += '{';
  append("eventId", row.id);
  append("eventType", type.name);
  append("occurredAt", Rfc3339Micros(row.occurred_at));
  append("producer", type.producer);
  append("traceId", trace_id);
  append("correlationId", row.correlation_id);
  append("schemaVersion", type.schema_version);
  append("partitionKey", row.key);
  out += R"("payload":)";
  RETURN_IF_ERROR(json::Append(payload, out));
  out += '}';
  return absl::OkStatus();
}

absl::StatusOr<OutboxRow> MakeRow(const google::protobuf::Message& payload, std::int64_t aggregate_version,
                                  absl::Time occurred_at, const RequestContext& context) {
  const EventType& type = TypeOf(*payload.GetDescriptor());
  // What no request caused, the work of a job, begins a trace of its own.
  const TraceContext own = context.trace.trace_id.empty() ? telemetry::ParseTraceparent({}) : TraceContext();
  const TraceContext& trace = context.trace.trace_id.empty() ? own : context.trace;
  OutboxRow row{
      .id = UuidToString(NewUuid()),
      .topic = type.topic,
      .key = payload.GetReflection()->GetString(payload, type.key),
      .type = type.name,
      .aggregate_version = aggregate_version,
      .occurred_at = occurred_at,
      .tenant = context.tenant.str(),
      .traceparent = trace.ToTraceparent(),
      .correlation_id = context.correlation_id.empty() ? trace.trace_id : context.correlation_id,
  };
  RETURN_IF_ERROR(AppendEnvelope(payload, row, trace.trace_id, row.payload));
  RETURN_IF_ERROR(Validate(row.type, row.payload));
  return row;
}

OutboxArrays::OutboxArrays(const std::vector<OutboxRow>& rows) {
  std::vector<std::string> column;
  std::vector<std::int64_t> numbers;
  const auto texts = [&](std::string OutboxRow::*member) {
    column.clear();
    for (const OutboxRow& row : rows) column.push_back(row.*member);
    return postgres::ArrayLiteral(column);
  };
  ids = texts(&OutboxRow::id);
  topics = texts(&OutboxRow::topic);
  keys = texts(&OutboxRow::key);
  types = texts(&OutboxRow::type);
  payloads = texts(&OutboxRow::payload);
  tenants = texts(&OutboxRow::tenant);
  traceparents = texts(&OutboxRow::traceparent);
  correlation_ids = texts(&OutboxRow::correlation_id);
  for (const OutboxRow& row : rows) numbers.push_back(row.aggregate_version);
  versions = postgres::ArrayLiteral(numbers);
  numbers.clear();
  for (const OutboxRow& row : rows) numbers.push_back(absl::ToUnixMicros(row.occurred_at));
  occurred = postgres::ArrayLiteral(numbers);
}

void InsertOutbox(postgres::Session& session, const std::vector<OutboxRow>& rows) {
  if (rows.empty()) return;
  static constexpr postgres::Statement kInsert{"outbox_insert", BV_OUTBOX_INSERT};
  const OutboxArrays a(rows);
  session.Exec(kInsert, a.ids, a.topics, a.keys, a.types, a.payloads, a.versions, a.occurred, a.tenants,
               a.traceparents, a.correlation_ids);
}

}  // namespace bv::events
