#include "services/notification/domain/progress.h"

#include <algorithm>

namespace bv::notification {

Progress::Step Progress::Take(const OrderEvent& event) {
  if (event.version < version_) return Step::kSeen;
  if (event.version == version_) {
    // After the last event of a change there is none of it that was not seen.
    if (complete_ || std::ranges::find(kinds_, event.kind) != kinds_.end()) return Step::kSeen;
  } else if (event.version > version_ + 1 || !complete_) {
    return Step::kGap;
  } else {
    version_ = event.version;
    kinds_.clear();
  }
  kinds_.push_back(event.kind);
  complete_ = event.completes_change;
  return Step::kNew;
}

void Progress::Jump(std::int64_t version) {
  version_ = version;
  complete_ = true;
  kinds_.clear();
}

}  // namespace bv::notification
