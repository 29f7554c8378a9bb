// Takes what becomes of orders from Kafka, and queues the mails that it is worth.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <span>
#include <string>

#include "libs/events/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/telemetry/telemetry.h"
#include "services/mailer/domain/mail.h"

namespace bv::mailer {

class OrderEvents {
 public:
  static constexpr char kGroup[] = "mailer";
  static const std::string& Topic();

  // What is older than `event_age_max` when it is read is not written about any more. Tests have a group and
  // a topic of their own.
  OrderEvents(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
              absl::Duration event_age_max, const std::string& group = kGroup,
              const std::string& topic = Topic());

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Start(); }
  // Returns when the batch that runs has ended.
  void Stop() { consumer_.Stop(); }

 private:
  absl::StatusOr<events::Answers> Handle(std::span<const events::Event> events);

  const absl::Duration event_age_max_;
  // Of the consumer's thread.
  postgres::Session session_;
  prometheus::Counter& queued_;
  events::Consumer consumer_;
};

}  // namespace bv::mailer
