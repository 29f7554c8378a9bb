#include "services/inventory/domain/sold_out.h"

#include <algorithm>

namespace bv::inventory {
namespace {

// A ledger row has the time at which its transaction began, and becomes visible when that commits: no later
// than this.
constexpr absl::Duration kLongestTransaction = absl::Seconds(30);

}  // namespace

std::optional<absl::Status> SoldOut::Refusal(const TenantId& tenant, const ReserveCommand& command,
                                             absl::Time now) const {
  // What the cart holds is not sold out for that cart.
  if (!command.replaces.empty()) return std::nullopt;
  const std::shared_lock lock(mutex_);
  if (entries_.empty()) return std::nullopt;
  for (std::size_t i = 0; i < command.lines.size(); ++i) {
    const auto found = entries_.find(StockKey{tenant, command.lines[i].sku});
    if (found == entries_.end() || now >= found->second.until ||
        found->second.holders.contains(command.reservation_id))
      continue;
    return OutOfStock(command.lines[i], i, 0);
  }
  return std::nullopt;
}

std::optional<absl::Time> SoldOut::ReadHoldersSince(const StockKey& key, std::int64_t version,
                                                    absl::Time db_now) const {
  const std::shared_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return db_now - kRepeatWindow;
  if (found->second.version >= version) return std::nullopt;
  return std::max(db_now - kRepeatWindow, found->second.holders_read_at - kLongestTransaction);
}

void SoldOut::Remember(const StockKey& key, std::int64_t version, const std::vector<std::string>& holders,
                       absl::Time db_now, absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kSkusMax && !entries_.contains(key)) {
    absl::erase_if(entries_, [now](const auto& entry) { return entry.second.until <= now; });
    if (entries_.size() >= kSkusMax) return;
  }
  Entry& entry = entries_[key];
  if (entry.seen > version) return;
  entry.seen = version;
  if (entry.version < version) {
    entry.version = version;
    entry.holders_read_at = db_now;
    entry.holders.insert(holders.begin(), holders.end());
  }
  if (entry.holders.size() > kHoldersMax) {
    entries_.erase(key);
    return;
  }
  entry.until = now + ttl_;
}

void SoldOut::Forget(const StockKey& key, std::int64_t version) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  // The holders stay, so that only new ones have to be read when it sells out again.
  if (found == entries_.end() || found->second.seen > version) return;
  found->second.seen = version;
  found->second.until = absl::InfinitePast();
}

}  // namespace bv::inventory
