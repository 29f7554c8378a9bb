// Takes what inventory says about holds from Kafka into the carts.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "libs/events/envelope.h"
#include "libs/kafka/consumer.h"
#include "libs/kafka/dead_letters.h"
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
  absl::Status Start() { return consumer_.Run(); }
  // Returns when the batch that runs has ended.
  void Stop() { consumer_.Stop(); }

 private:
  absl::Status Handle(std::span<const kafka::Message> messages);
  // The answers among the events; what cannot be read is put aside.
  absl::StatusOr<std::vector<AnswerForItem>> Read(const std::vector<events::Event>& events);
  absl::Status Store(const std::vector<AnswerForItem>& answers);

  // Of the consumer's thread.
  postgres::Session session_;
  kafka::DeadLetters dead_letters_;
  std::map<HoldAnswer::Kind, prometheus::Counter*> taken_;
  kafka::Consumer consumer_;
};

}  // namespace bv::cart
