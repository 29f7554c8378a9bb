#include "services/outbox-relay/domain/lag_clock.h"

#include <algorithm>

namespace bv::relay {

absl::Duration LagClock::Look(absl::Time now, Lsn end, Lsn confirmed) {
  if (marks_.empty() || end > marks_.back().end) marks_.push_back({.at = now, .end = end});
  std::erase_if(marks_, [&](const Mark& mark) { return mark.end <= confirmed; });
  if (marks_.size() > kMarksMax) {
    // Two become one as old as the older: an age is rather too large than too small.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < marks_.size(); i += 2) {
      marks_[kept++] = {.at = marks_[i].at, .end = marks_[std::min(i + 1, marks_.size() - 1)].end};
    }
    marks_.resize(kept);
  }
  return marks_.empty() ? absl::ZeroDuration() : std::max(now - marks_.front().at, absl::ZeroDuration());
}

}  // namespace bv::relay
