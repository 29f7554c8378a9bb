// How long to wait before trying again: exponentially longer, and spread by chance so that callers that
// failed together do not come back together.
#pragma once

#include <absl/random/random.h>
#include <absl/time/time.h>

#include <optional>

namespace bv::resilience {

struct BackoffSettings {
  // The shortest wait; never less, so that a loop cannot spin.
  absl::Duration min = absl::Milliseconds(50);
  // The longest wait.
  absl::Duration max = absl::Seconds(5);
  // How many times to try again at most; 0 stands for no limit.
  int retries_max = 0;
};

// One a sequence of attempts. Not thread safe.
class Backoff {
 public:
  explicit Backoff(const BackoffSettings& settings);

  // The wait before the next attempt; absent when the retries are used up. "Decorrelated jitter": evenly
  // distributed between `min` and three times the wait before, at most `max`
  // (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
  std::optional<absl::Duration> Next();

  // After a success: the next failure starts from the shortest wait and with all retries.
  void Reset();

 private:
  BackoffSettings settings_;
  absl::Duration previous_;
  int retries_ = 0;
  absl::BitGen random_;
};

}  // namespace bv::resilience
