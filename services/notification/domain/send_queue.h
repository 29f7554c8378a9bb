// What waits to be written to one connection; never more than its limits.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace bv::notification {

struct Outgoing {
  // Shared by all connections that are sent the same.
  std::shared_ptr<const std::string> text;
  // Which feed it belongs to; 0: none.
  std::uint32_t feed = 0;
  // When the event happened; InfinitePast for what is no event.
  absl::Time occurred_at = absl::InfinitePast();
};

// Not thread safe.
class SendQueue {
 public:
  SendQueue(std::size_t messages_max, std::size_t bytes_max)
      : messages_max_(messages_max), bytes_max_(bytes_max) {}

  // False when there is no room. An empty queue takes any message.
  [[nodiscard]] bool Put(Outgoing message);
  // Not for an empty one.
  Outgoing Take();
  // Drops what waits of a feed and returns how many messages that were.
  std::size_t DropOf(std::uint32_t feed);
  void Clear();

  bool empty() const { return messages_.empty(); }
  std::size_t size() const { return messages_.size(); }

 private:
  const std::size_t messages_max_;
  const std::size_t bytes_max_;
  std::deque<Outgoing> messages_;
  std::size_t bytes_ = 0;
};

}  // namespace bv::notification
