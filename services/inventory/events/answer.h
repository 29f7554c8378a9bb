#pragma once

#include "libs/events/consumer.h"

namespace bv::inventory {

// What the stock's answer to an event's request means for the event.
inline events::Answer AnswerOf(absl::Status status) {
  switch (status.code()) {
    // The same request again will end the same way.
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kNotFound:
      return events::Answer::Refused(std::move(status));
    default:
      return events::Answer::Failed(std::move(status));
  }
}

}  // namespace bv::inventory
