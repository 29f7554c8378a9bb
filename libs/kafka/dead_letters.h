// Where a consumer puts what it will never be able to handle, so that the rest of the partition goes on.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string>
#include <string_view>

#include "libs/kafka/consumer.h"
#include "libs/kafka/writer.h"

namespace bv::kafka {

// "ecommerce.inventory.reservation" and "cart" → "ecommerce.inventory.reservation.cart.dlq".
std::string DeadLetterTopic(std::string_view topic, std::string_view group);

// Used by one thread at a time: the consumer's, inside its `handle`.
class DeadLetters {
 public:
  // `settings` of the group's consumer. Connects when it is first used.
  DeadLetters(const ConsumerSettings& settings, const std::string& group)
      : group_(group), writer_(settings, group) {}

  // Writes the message, its key, value and headers as they are, to the dead-letter topic, with the headers
  // that Kafka Connect uses (`__connect.errors.…`): where it came from, and `why`. OK when it is on all
  // in-sync replicas; otherwise as Writer::Write. `more` are headers of the caller's.
  absl::Status Put(const Message& message, const absl::Status& why, std::span<const Header> more = {});

 private:
  const std::string group_;
  Writer writer_;
};

}  // namespace bv::kafka
