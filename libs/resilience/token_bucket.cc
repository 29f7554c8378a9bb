#include "libs/resilience/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace bv::resilience {

using std::chrono::duration;
using std::chrono::nanoseconds;

TokenBucket::TokenBucket(double rate, double burst)
    : rate_(rate), burst_(burst), tokens_(burst), refilled_(Time::min()) {}

bool TokenBucket::TryTake(Time now, double tokens) {
  const std::lock_guard lock(mutex_);
  Refill(now);
  if (tokens_ < tokens) return false;
  tokens_ -= tokens;
  return true;
}

nanoseconds TokenBucket::UntilAvailable(Time now, double tokens) {
  const std::lock_guard lock(mutex_);
  Refill(now);
  if (tokens > burst_) return nanoseconds::max();
  const double seconds = std::max(0.0, tokens - tokens_) / rate_;
  // Rounded up: a caller that comes back after exactly this time finds its tokens.
  return nanoseconds(static_cast<nanoseconds::rep>(std::ceil(seconds * 1e9)));
}

void TokenBucket::Refill(Time now) {
  // The first call sets the clock: the bucket is full anyway, and the difference to Time::min() would
  // overflow.
  if (refilled_ != Time::min() && now > refilled_) {
    tokens_ = std::min(burst_, tokens_ + rate_ * duration<double>(now - refilled_).count());
  }
  refilled_ = std::max(refilled_, now);
}

}  // namespace bv::resilience
