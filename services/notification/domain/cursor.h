// How far a client has come in a topic, whichever replica it talks to: the offsets of Kafka.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/notification/domain/order_event.h"

namespace bv::notification {

class Cursor {
 public:
  // Of what Text made; INVALID_ARGUMENT, reason INVALID_CURSOR, names `field`.
  static absl::StatusOr<Cursor> Parse(std::string_view text, std::string_view field);
  // Opaque to clients; letters, digits, - and _.
  std::string Text() const;

  // The message at `position` has been handled, and all before it of its partition.
  void Advance(Position position);
  // Takes the further one of the two, partition by partition.
  void Merge(const Cursor& other);
  // The offset of the first message of the partition that has not been handled.
  std::int64_t Next(int partition) const;
  bool Has(Position position) const { return position.offset < Next(position.partition); }
  // Nowhere further than `other`.
  bool IsWithin(const Cursor& other) const;
  // Whoever has all from `begin` to `end` can tell what is behind this cursor. A replica may be behind the
  // one that made it, but not by much: what is far ahead is of another life of the topic.
  bool IsReachedBy(const Cursor& begin, const Cursor& end) const;

  friend bool operator==(const Cursor&, const Cursor&) = default;

 private:
  // By partition; 0 for one that is not there.
  std::vector<std::int64_t> next_;
};

}  // namespace bv::notification
