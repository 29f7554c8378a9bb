#include "services/inventory/domain/demand.h"

namespace bv::inventory {

bool Demand::Count(const StockKey& key, absl::Time now) {
  const std::int64_t second = absl::ToUnixSeconds(now);
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kSkusMax && !entries_.contains(key)) {
    // What was not asked for in this second and is not hot is begun anew when it comes again.
    absl::erase_if(entries_, [&](const auto& item) {
      const Entry& entry = item.second;
      return entry.second < second && entry.hot_until < now && !entry.marked;
    });
    if (entries_.size() >= kSkusMax) return false;
  }
  Entry& entry = entries_[key];
  if (entry.second != second) {
    entry.second = second;
    entry.requests = 0;
  }
  if (++entry.requests >= hot_rate_) entry.hot_until = now + kCoolDown;
  return entry.marked || now < entry.hot_until;
}

void Demand::Mark(const StockKey& key, bool is_hot) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    found->second.marked = is_hot;
  } else if (is_hot && entries_.size() < kSkusMax) {
    entries_[key].marked = true;
  }
}

}  // namespace bv::inventory
