// Takes what inventory says about holds from Kafka into the carts.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "libs/events/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/telemetry/telemetry.h"
#include "services/cart/store/hold_rows.h"

namespace bv::cart {

class HoldAnswers {
 public:
  static constexpr char kGroup[] = "cart";
  static const std::string& Topic();

  // Tests have a group and a topic of their own.
  HoldAnswers(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
              const std::string& group = kGroup, const std::string& topic = Topic());

  // Begins to consume; Kafka may come later. INVALID_ARGUMENT for settings that cannot be.
  absl::Status Start() { return consumer_.Start(); }
  // Returns when the batch that runs has ended.
  void Stop() { consumer_.Stop(); }

 private:
  absl::StatusOr<events::Answers> Handle(std::span<const events::Event> events);
  absl::Status Store(const std::vector<AnswerForItem>& answers);

  // Of the consumer's thread.
  postgres::Session session_;
  std::map<HoldAnswer::Kind, prometheus::Counter*> taken_;
  events::Consumer consumer_;
};

}  // namespace bv::cart
