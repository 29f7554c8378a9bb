// A rate limit that allows bursts.
#pragma once

#include <chrono>
#include <mutex>

namespace bv::resilience {

// Holds up to `burst` tokens and gains `rate` a second; starts full. Thread safe. Time is passed in, so that
// tests and callers that have it need not read the clock; a time before the last one counts as the last one.
class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Both above 0.
  TokenBucket(double rate, double burst);

  // Takes `tokens`, all of them or none.
  [[nodiscard]] bool TryTake(Time now, double tokens = 1);

  // How long until `tokens` will be there if nobody else takes any: the hint for a caller that was refused.
  // nanoseconds::max() when they are more than `burst` and so will never be.
  std::chrono::nanoseconds UntilAvailable(Time now, double tokens = 1);

 private:
  // With the lock held.
  void Refill(Time now);

  const double rate_;
  const double burst_;
  std::mutex mutex_;
  double tokens_;
  Time refilled_;
};

}  // namespace bv::resilience
