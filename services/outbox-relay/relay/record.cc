#include "services/outbox-relay/relay/record.h"

namespace bv::relay {

kafka::Record RecordBuilder::Build(const OutboxEvent& event) {
  source_ = SourceOf(event);
  time_ = Rfc3339(event.occurred_at).value_or("");
  headers_.clear();
  Add("ce_id", event.id);
  Add("ce_type", event.type);
  Add("ce_source", source_);
  Add("ce_time", time_);
  Add("ce_specversion", "1.0");
  Add("ce_partitionkey", event.aggregate_id);
  Add("traceparent", event.traceparent);
  Add("aggregateVersion", event.aggregate_version);
  Add("tenantId", event.tenant_id);
  Add("correlationId", event.correlation_id);
  Add("__value_schema_id", schema_ids_.HeaderOf(event.type));
  return {
      .topic = event.aggregate_type, .key = event.aggregate_id, .value = event.payload, .headers = headers_};
}

void RecordBuilder::Add(std::string_view name, std::string_view value) {
  if (!value.empty()) headers_.push_back({.name = name, .value = value});
}

std::size_t BytesOf(const kafka::Record& record) {
  std::size_t bytes = record.topic.size() + record.key.size() + record.value.size();
  for (const kafka::Header& header : record.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

}  // namespace bv::relay
