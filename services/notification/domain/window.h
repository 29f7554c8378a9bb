// The recent events of all orders, in memory: what a client missed that was away for a moment.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/notification/domain/cursor.h"
#include "services/notification/domain/order_event.h"
#include "services/notification/domain/progress.h"

namespace bv::notification {

// What a window knows of the changes of one order behind a version.
struct OrderPast {
  // In their order, whole changes only. Progress::Take says whether one is missing.
  std::vector<OrderEventPtr> events;
  // None was forgotten: what is not here is still to come.
  bool is_whole = false;
  // Nor was any that happened later than this.
  absl::Time whole_since = absl::InfiniteFuture();
};

// Not thread safe.
class Window {
 public:
  // Keeps what was written within `keep`, and of that at most `bytes_max`. It is given all that was written
  // from `since` on.
  Window(absl::Duration keep, std::int64_t bytes_max, absl::Time since)
      : keep_(keep), bytes_max_(bytes_max), forgotten_until_(since) {}

  // Messages of the partition are handed over from `offset` on.
  void Begin(int partition, std::int64_t offset);
  // Takes the next message of its partition. False for one that was there before, at another offset, as
  // long as the window remembers.
  bool Add(OrderEventPtr event);
  // Passes over a message that is no event.
  void Pass(Position position) { end_.Advance(position); }
  // Forgets what is too old, and what is too much.
  void Trim(absl::Time now);

  // All that was handled.
  const Cursor& end() const { return end_; }
  std::int64_t bytes() const { return bytes_; }
  std::size_t size() const { return events_.size(); }

  // Of the order's changes behind `version`.
  OrderPast OfOrder(std::string_view order_id, std::int64_t version) const;
  // All events of the user's orders behind `cursor`; absent when the window does not reach so far back, or
  // the cursor is not one of this topic.
  std::optional<std::vector<OrderEventPtr>> OfUser(std::string_view tenant, std::string_view user_id,
                                                   const Cursor& cursor) const;

 private:
  struct Trail {
    Progress progress;
    // Of lower versions the window may have a part only.
    std::int64_t whole_from = 0;
    std::vector<OrderEventPtr> events;
  };
  static std::string UserKey(std::string_view tenant, std::string_view user_id);
  // No earlier event of its change can be missing here.
  bool BeginsWhole(const OrderEvent& event) const;
  void DropOldest();

  const absl::Duration keep_;
  const std::int64_t bytes_max_;
  // In the order in which they came.
  std::deque<OrderEventPtr> events_;
  std::int64_t bytes_ = 0;
  absl::flat_hash_map<std::string, Trail> orders_;
  absl::flat_hash_map<std::string, std::deque<OrderEventPtr>> users_;
  // What is not in the window any more, or never was; and the latest time at which such was written.
  Cursor begin_;
  absl::Time forgotten_until_;
  Cursor end_;
};

}  // namespace bv::notification
