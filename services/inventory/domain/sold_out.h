// What is known to be sold out, so that the late buyers of a sale are refused without asking the database.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "services/inventory/domain/desk.h"

namespace bv::inventory {

// Thread safe. Knowledge lasts for `ttl` and ends at once when a batch of this process sees the SKU back on
// sale; the batches of another replica are heard of within `ttl`. A repeat of a reservation that was
// successful goes to the database, which has its answer: whoever reserved the SKU in the last kRepeatWindow
// is known by name.
class SoldOut {
 public:
  static constexpr absl::Duration kRepeatWindow = absl::Minutes(10);
  // Of one SKU; with more it is not remembered.
  static constexpr std::size_t kHoldersMax = 20'000;

  explicit SoldOut(absl::Duration ttl) : ttl_(ttl) {}

  // OUT_OF_STOCK as the database would say, or nothing when it has to be asked. `now` is the
  // monotonic clock's.
  std::optional<absl::Status> Refusal(const TenantId& tenant, const ReserveCommand& command,
                                      absl::Time now) const;

  // Since when, by the database's clock `db_now`, the SKU's reservations have to be read before Remember;
  // none when they are known already or when the SKU cannot be remembered.
  std::optional<absl::Time> ReadHoldersSince(const StockKey& key, std::int64_t version,
                                             absl::Time db_now) const;

  // A committed batch has seen the SKU sold out, at this version; `holders` are the reservations read for it
  // at `db_now`.
  void Remember(const StockKey& key, std::int64_t version, const std::vector<std::string>& holders,
                absl::Time db_now, absl::Time now);
  // A committed batch has seen it on sale.
  void Forget(const StockKey& key, std::int64_t version);

 private:
  static constexpr std::size_t kSkusMax = 4'096;

  struct Entry {
    // The newest that was seen, and the one that the holders are known up to.
    std::int64_t seen = 0;
    std::int64_t version = 0;
    absl::Time until;
    absl::Time holders_read_at;
    absl::flat_hash_set<std::string> holders;
  };

  const absl::Duration ttl_;
  mutable std::shared_mutex mutex_;  // not absl's, which the thread sanitizer cannot see through
  absl::flat_hash_map<StockKey, Entry> entries_;
};

}  // namespace bv::inventory
