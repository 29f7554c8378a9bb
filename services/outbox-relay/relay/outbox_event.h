// One event as the outbox holds it, and what of it goes into Kafka's record beside the payload. Pure.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bv::relay {

// Views into the row; empty for NULL.
struct OutboxEvent {
  std::string_view tenant_id;
  std::string_view id;
  // Kafka's topic.
  std::string_view aggregate_type;
  // Kafka's key.
  std::string_view aggregate_id;
  std::string_view type;
  // The whole envelope.
  std::string_view payload;
  std::string_view aggregate_version;
  // "2026-11-21 02:08:00.123456+00", as PostgreSQL shows it in UTC.
  std::string_view occurred_at;
  std::string_view traceparent;
  std::string_view correlation_id;
};

// Where in a row of outbox.event the fields stand. Found by name, so that a migration may add columns.
class OutboxColumns {
 public:
  // FAILED_PRECONDITION names a column that is missing.
  static absl::StatusOr<OutboxColumns> Find(const std::vector<std::string>& names);
  // INVALID_ARGUMENT when the row is shorter than its table, or one of id, topic, key, type and payload is
  // NULL.
  absl::StatusOr<OutboxEvent> Read(const std::vector<std::optional<std::string_view>>& values) const;

 private:
  std::array<std::size_t, 10> positions_{};
};

// "2026-11-21T02:08:00.123456Z" (RFC 3339); absent for what is not a moment in UTC ("infinity").
std::optional<std::string> Rfc3339(std::string_view postgres_time);

// The CloudEvents source: the envelope's `producer`; of an envelope without one, "/" and the second part of
// the event type:
// "/order" for ecommerce.order.order.created.v1.
std::string SourceOf(const OutboxEvent& event);

}  // namespace bv::relay
