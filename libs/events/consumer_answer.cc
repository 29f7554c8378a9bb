#include "libs/base/strings.h"
#include "libs/events/consumer.h"

namespace bv::events {

Answers AllDone(std::span<const Event> events) {
  return Answers(events.size(), Answer::Done());
}

bool IsPassing(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status) || absl::IsAborted(status) || absl::IsCancelled(status);
}

std::string RetryTopic(std::string_view topic, std::string_view group) {
  return Concat(topic, ".", group, ".retry");
}

}  // namespace bv::events
