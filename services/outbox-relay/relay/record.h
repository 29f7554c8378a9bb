// An event of the outbox as Kafka's record.
#pragma once

#include <string>
#include <vector>

#include "libs/kafka/producer.h"
#include "services/outbox-relay/relay/outbox_event.h"
#include "services/outbox-relay/relay/schema_ids.h"

namespace bv::relay {

// Keeps what the views of its last record point to; one a thread.
class RecordBuilder {
 public:
  explicit RecordBuilder(const SchemaIds& schema_ids) : schema_ids_(schema_ids) {}

  // CloudEvents in binary mode
  // (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md): the
  // payload as it is, the attributes as headers. Valid until the next call, and as long as the event and the
  // schema ids. Empty values have no header.
  kafka::Record Build(const OutboxEvent& event);

 private:
  void Add(std::string_view name, std::string_view value);

  const SchemaIds& schema_ids_;
  std::string source_;
  std::string time_;
  std::vector<kafka::Header> headers_;
};

// What a record takes of the memory that is bounded.
std::size_t BytesOf(const kafka::Record& record);

}  // namespace bv::relay
