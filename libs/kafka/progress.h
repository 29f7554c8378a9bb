// How far a consumer is in each of its partitions; pure.
#pragma once

#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bv::kafka {

// Topic and number.
using PartitionId = std::pair<std::string, int>;
// The next message that is to be handled.
using Offsets = std::map<PartitionId, std::int64_t>;

// Thread safe. Times are those of the messages, the wall clock's.
class Progress {
 public:
  // These partitions and no others; nothing is known of them yet.
  void Assign(const std::vector<PartitionId>& partitions, absl::Time now);
  bool empty() const;

  // The partition is read from here on. From then on the group has an offset to go on at, even if nothing is
  // handled: otherwise a group that begins at the end could begin behind a message that it has seen and not
  // handled.
  void Begin(const PartitionId& partition, std::int64_t offset);
  // The message at `offset` was read, as Begin, and is to be handled.
  void Taken(const PartitionId& partition, std::int64_t offset, absl::Time written_at);
  // Everything before `next` has been handled, which is all that was taken; the last of it was written at
  // `written_at`. Partitions that are not assigned are left alone.
  void Handled(const PartitionId& partition, std::int64_t next, absl::Time written_at);
  // The partition ends before `end`, by the broker's last answer.
  void Seen(const PartitionId& partition, std::int64_t end, absl::Time now);

  // What is to be committed.
  Offsets Uncommitted() const;
  void Committed(const Offsets& offsets);

  // What is known of the positions.
  Offsets Positions() const;
  // True when the position of every partition is known; false without partitions.
  bool complete() const;

  // When the oldest message that stands in a partition and is not handled was written; the infinite future
  // when there is none. Where nothing was taken, that is not known: such a message counts from the one before
  // it, or from when none stood behind that one, or from the assignment when none was read since.
  absl::Time oldest_waiting() const;

 private:
  struct State {
    std::int64_t position = -1;
    std::int64_t committed = -1;
    std::int64_t end = -1;
    // The oldest that was taken and is not handled.
    absl::Time taken = absl::InfiniteFuture();
    // What was not taken yet was not written before.
    absl::Time untaken_since;
  };

  mutable absl::Mutex mutex_;
  std::map<PartitionId, State> partitions_;
};

}  // namespace bv::kafka
