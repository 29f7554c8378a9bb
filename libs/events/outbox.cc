#include "libs/events/outbox.h"

#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/json/json.h"

namespace bv::events {
namespace {

std::string Rfc3339Micros(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

}  // namespace

absl::Status AppendEnvelope(const EventType& type, std::string_view producer, const OutboxRow& row,
                            std::string_view trace_id, const google::protobuf::Message& payload,
                            std::string& out) {
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
  append("producer", producer);
  append("traceId", trace_id);
  append("correlationId", row.correlation_id);
  append("schemaVersion", type.schema_version);
  append("partitionKey", row.key);
  out += R"("payload":)";
  RETURN_IF_ERROR(json::Append(payload, out));
  out += '}';
  return absl::OkStatus();
}

absl::StatusOr<OutboxRow> MakeRow(const EventType& type, std::string_view producer, std::string_view key,
                                  std::int64_t aggregate_version, absl::Time occurred_at,
                                  const RequestContext& context, const google::protobuf::Message& payload) {
  OutboxRow row{
      .id = UuidToString(NewUuid()),
      .topic = std::string(type.topic),
      .key = std::string(key),
      .type = std::string(type.name),
      .aggregate_version = aggregate_version,
      .occurred_at = occurred_at,
      .tenant = context.tenant.str(),
      .traceparent = context.trace.ToTraceparent(),
      .correlation_id = context.correlation_id,
  };
  RETURN_IF_ERROR(AppendEnvelope(type, producer, row, context.trace.trace_id, payload, row.payload));
  return row;
}

void InsertOutbox(postgres::Session& session, const std::vector<OutboxRow>& rows) {
  if (rows.empty()) return;
  std::vector<std::string> ids, topics, keys, types, payloads, tenants, traceparents, correlation_ids;
  std::vector<std::int64_t> versions, occurred;
  for (const OutboxRow& row : rows) {
    ids.push_back(row.id);
    topics.push_back(row.topic);
    keys.push_back(row.key);
    types.push_back(row.type);
    payloads.push_back(row.payload);
    versions.push_back(row.aggregate_version);
    occurred.push_back(absl::ToUnixMicros(row.occurred_at));
    tenants.push_back(row.tenant);
    traceparents.push_back(row.traceparent);
    correlation_ids.push_back(row.correlation_id);
  }
  static constexpr postgres::Statement kInsert{"outbox_insert", R"sql(
    INSERT INTO outbox.event (id, aggregatetype, aggregateid, type, payload, aggregate_version, occurred_at, tenant_id,
                              traceparent, correlation_id)
    SELECT id, topic, key, type, payload, version, to_timestamp(occurred / 1e6), tenant, traceparent, correlation_id
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[],
                $9::text[], $10::text[])
      WITH ORDINALITY AS r (id, topic, key, type, payload, version, occurred, tenant, traceparent, correlation_id, n)
    ORDER BY n
  )sql"};
  using postgres::ArrayLiteral;
  session.Exec(kInsert, ArrayLiteral(ids), ArrayLiteral(topics), ArrayLiteral(keys), ArrayLiteral(types),
               ArrayLiteral(payloads), ArrayLiteral(versions), ArrayLiteral(occurred), ArrayLiteral(tenants),
               ArrayLiteral(traceparents), ArrayLiteral(correlation_ids));
}

}  // namespace bv::events
