// Flash sales as their topic tells: which run now, and what happened, for those who were away.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/notification/domain/cursor.h"
#include "services/notification/domain/order_event.h"

namespace bv::notification {

struct SaleEvent {
  std::string tenant;
  std::string sale_id;
  enum class Kind { kStarted, kEnded } kind = Kind::kStarted;
  Position position;
  absl::Time occurred_at;
  // The envelope, byte for byte.
  std::string text;
};

using SaleEventPtr = std::shared_ptr<const SaleEvent>;

// Not thread safe.
class Sales {
 public:
  // Remembers as much of the topic as fits into `bytes_max`, the newest; and what runs, in any case.
  explicit Sales(std::int64_t bytes_max) : bytes_max_(bytes_max) {}

  // Messages of the partition are handed over from `offset` on.
  void Begin(int partition, std::int64_t offset);
  // Takes the next message of its partition. False when it says nothing new.
  bool Add(SaleEventPtr event);
  void Pass(Position position) { end_.Advance(position); }

  // All that was handled.
  const Cursor& end() const { return end_; }
  // The events that started what runs now, in their order.
  std::vector<SaleEventPtr> Running(std::string_view tenant) const;
  // What happened behind `cursor`; absent when that is not remembered, or the cursor is none of this topic.
  std::optional<std::vector<SaleEventPtr>> Behind(std::string_view tenant, const Cursor& cursor) const;

 private:
  struct Shop {
    std::deque<SaleEventPtr> log;
    // In the order of their start.
    std::vector<SaleEventPtr> running;
    // Of sales whose end is in the log.
    absl::flat_hash_set<std::string> ended;
  };
  void DropOldest();

  const std::int64_t bytes_max_;
  absl::flat_hash_map<std::string, Shop> shops_;
  // Of all tenants, in the order in which they came.
  std::deque<SaleEventPtr> log_;
  std::int64_t bytes_ = 0;
  // What is not remembered any more.
  Cursor begin_;
  Cursor end_;
};

}  // namespace bv::notification
