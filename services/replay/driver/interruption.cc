#include "services/replay/driver/interruption.h"

#include <algorithm>

namespace bv::replay {

void Interruption::Set(Reason reason) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = reason_ == Reason::kNone && reason != Reason::kNone;
    reason_ = std::max(reason_, reason);
  }
  changed_.notify_all();
  if (first) notify_();
}

Interruption::Reason Interruption::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

bool Interruption::WaitWhile(Reason known, absl::Duration duration) const {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, absl::ToChronoMilliseconds(duration), [&] { return reason_ != known; });
}

}  // namespace bv::replay
