// One message of the topic of orders, as everything behind the hub sees it.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>

namespace bv::notification {

// Where a message stands in its topic.
struct Position {
  int partition = 0;
  std::int64_t offset = 0;
};

// Never changed once it is made, so that all readers share it.
struct OrderEvent {
  std::string tenant;
  std::string order_id;
  std::string user_id;
  // Of the order after the change. The events of one change share it.
  std::int64_t version = 0;
  // Made of the event's type: tells the events of one change apart.
  std::uint64_t kind = 0;
  // The last event of its change.
  bool completes_change = true;
  Position position;
  absl::Time occurred_at;
  absl::Time written_at;
  // The envelope, byte for byte as it is on Kafka.
  std::string text;

  // What a client that has handled this one sends as `after` to lose nothing: one that has half of a change
  // gets the whole of it again.
  std::int64_t seq() const { return completes_change ? version : version - 1; }
};

using OrderEventPtr = std::shared_ptr<const OrderEvent>;

}  // namespace bv::notification
