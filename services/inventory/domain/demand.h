// Which SKUs are in great demand, by what is marked and by their own rate.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <mutex>

#include "services/inventory/domain/desk.h"

namespace bv::inventory {

// Thread safe and bounded. A SKU is hot while it is marked, and for kCoolDown after a second with `hot_rate`
// or more requests.
class Demand {
 public:
  static constexpr absl::Duration kCoolDown = absl::Seconds(30);

  // Requests a second.
  explicit Demand(int hot_rate) : hot_rate_(hot_rate) {}

  // Counts one request, and says whether the SKU is hot.
  bool Count(const StockKey& key, absl::Time now);
  void Mark(const StockKey& key, bool is_hot);

 private:
  static constexpr std::size_t kSkusMax = 100'000;

  struct Entry {
    std::int64_t second = 0;
    int requests = 0;
    absl::Time hot_until = absl::InfinitePast();
    bool marked = false;
  };

  const int hot_rate_;
  std::mutex mutex_;  // not absl's, which the thread sanitizer cannot see through
  absl::flat_hash_map<StockKey, Entry> entries_;
};

}  // namespace bv::inventory
