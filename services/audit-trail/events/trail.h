// Takes what people did from Kafka, and chains it.
#pragma once

#include <absl/status/statusor.h>

#include <span>
#include <string>
#include <vector>

#include "libs/events/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/telemetry/telemetry.h"
#include "services/audit-trail/domain/entry.h"

namespace bv::audit_trail {

// An entry without its place in the chain. INVALID_ARGUMENT for an event without an actor, an action or an
// object.
absl::StatusOr<Entry> EntryOf(const events::Event& event);

// An entry is there once, however often its event comes: its id is the event's. Entries of one object are in
// the order of their events, and those of a tenant in that of their coming.
class Trail {
 public:
  static constexpr char kGroup[] = "audit-trail";
  static const std::string& Topic();

  // Tests have a group and a topic of their own.
  Trail(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
        const std::string& group = kGroup, const std::string& topic = Topic());

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Start(); }
  // Returns when the batch that runs has ended.
  void Stop() { consumer_.Stop(); }

 private:
  absl::StatusOr<events::Answers> Handle(std::span<const events::Event> events);

  // Of the consumer's thread.
  postgres::Session session_;
  prometheus::Counter& chained_;
  events::Consumer consumer_;
};

}  // namespace bv::audit_trail
