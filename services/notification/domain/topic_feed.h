// One subscription to what happens in a topic: where the client is in it, and what it is still to be sent.
#pragma once

#include <optional>
#include <string>

#include "services/notification/domain/cursor.h"
#include "services/notification/domain/order_event.h"

namespace bv::notification {

// Not thread safe.
class TopicFeed {
 public:
  // The client has all up to `at`.
  explicit TopicFeed(Cursor at) : at_(std::move(at)) {}

  // The cursor that goes out with an event of the window.
  std::string Replay(Position position);
  // All events up to `end` have been replayed.
  void EndReplay(const Cursor& end) { at_->Merge(end); }

  struct Sending {
    bool is_new = true;
    // In place of the hub's cursor, while the client is further than that somewhere: it came from a replica
    // that was ahead of this one.
    std::optional<std::string> seq;
  };
  // For an event as it comes; `end` is the hub's cursor behind it.
  Sending Take(Position position, const Cursor& end);
  // The cursor at a moment without an event, when the hub has handled all up to `end`.
  std::string At(const Cursor& end);

 private:
  void Settle(const Cursor& end);

  // Absent once the hub's cursor says as much.
  std::optional<Cursor> at_;
};

}  // namespace bv::notification
