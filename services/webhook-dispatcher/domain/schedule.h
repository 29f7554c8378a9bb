// When a delivery that failed is tried again. Pure.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <vector>

namespace bv::webhook {

struct Retry {
  // Of the delays, from 0.
  int tier = 0;
  // Until the next attempt.
  absl::Duration pause;

  friend bool operator==(const Retry&, const Retry&) = default;
};

// The pauses before the second attempt, the third …; after the last of them a delivery is given up.
class Schedule {
 public:
  explicit Schedule(std::vector<absl::Duration> delays) : delays_(std::move(delays)) {}

  const std::vector<absl::Duration>& delays() const { return delays_; }
  int attempts_max() const { return static_cast<int>(delays_.size()) + 1; }

  // After so many attempts; absent when there is none any more. What the receiver asks for by Retry-After
  // counts as far as it lies between the delay and twice that.
  std::optional<Retry> After(int attempts_made, std::optional<absl::Duration> asked_for) const;

 private:
  std::vector<absl::Duration> delays_;
};

}  // namespace bv::webhook
