// Where a consumer puts what it will never be able to handle, so that the rest of the partition goes on.
#pragma once

#include <absl/status/status.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/kafka/consumer.h"
#include "libs/kafka/producer.h"

namespace bv::kafka {

// "ecommerce.inventory.reservation" and "cart" → "ecommerce.inventory.reservation.cart.dlq".
std::string DeadLetterTopic(std::string_view topic, std::string_view group);

// Used by one thread at a time: the consumer's, inside its `handle`.
class DeadLetters {
 public:
  // `settings` of the group's consumer. Connects when it is first used.
  DeadLetters(const ConsumerSettings& settings, std::string group);
  ~DeadLetters();
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;

  // Writes the message, its key, value and headers as they are, to the dead-letter topic, with the headers
  // that Kafka Connect uses (`__connect.errors.…`): where it came from, and `why`. OK when it is on all
  // in-sync replicas. Otherwise the status of the producer, NOT_FOUND when there is no such topic, or
  // UNAVAILABLE; the message may then be there or not, and is to be put there again.
  absl::Status Put(const Message& message, const absl::Status& why);

 private:
  absl::Status Send(const Record& record);
  absl::Status Connect();

  const ProducerSettings settings_;
  const std::string group_;
  std::unique_ptr<Producer> producer_;
  // Of the record that was given to the producer last; absent until its report came.
  std::optional<absl::Status> delivered_;
};

}  // namespace bv::kafka
