#include "libs/resilience/backoff.h"

#include <algorithm>

namespace bv::resilience {

Backoff::Backoff(const BackoffSettings& settings) : settings_(settings), previous_(settings.min) {
  settings_.max = std::max(settings_.min, settings_.max);
}

std::optional<absl::Duration> Backoff::Next() {
  if (settings_.retries_max > 0 && retries_ == settings_.retries_max) return std::nullopt;
  if (settings_.retries_max > 0) ++retries_;
  const absl::Duration upper = std::min(settings_.max, 3 * previous_);
  previous_ =
      settings_.min + absl::Uniform(absl::IntervalClosed, random_, 0.0, 1.0) * (upper - settings_.min);
  return previous_;
}

void Backoff::Reset() {
  previous_ = settings_.min;
  retries_ = 0;
}

}  // namespace bv::resilience
