#include "services/webhook-dispatcher/domain/schedule.h"

#include <algorithm>

namespace bv::webhook {

std::optional<Retry> Schedule::After(int attempts_made, std::optional<absl::Duration> asked_for) const {
  if (attempts_made < 1 || attempts_made >= attempts_max()) return std::nullopt;
  const int tier = attempts_made - 1;
  const absl::Duration delay = delays_[static_cast<std::size_t>(tier)];
  return Retry{tier, std::clamp(asked_for.value_or(delay), delay, 2 * delay)};
}

}  // namespace bv::webhook
