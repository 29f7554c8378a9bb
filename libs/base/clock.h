// Time for waiting. What is stored goes by the database's clock, what a person or a peer is told by the wall
// clock.
#pragma once

#include <absl/time/time.h>

#include <chrono>

namespace bv {

// The monotonic clock, which nobody sets: it only says how much later something is, and means nothing outside
// of this process. An absl::Time, for its arithmetic.
inline absl::Time MonotonicNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace bv
