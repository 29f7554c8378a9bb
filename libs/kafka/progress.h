// How far a consumer is in each of its partitions; pure.
#pragma once

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

// Not thread safe.
class Progress {
 public:
  // These partitions and no others; nothing is known of them yet.
  void Assign(const std::vector<PartitionId>& partitions);
  bool empty() const { return partitions_.empty(); }

  // The partition is read from here on. From then on the group has an offset to go on at, even if nothing is
  // handled: otherwise a group that begins at the end could begin behind a message that it has seen and not
  // handled.
  void Begin(const PartitionId& partition, std::int64_t offset);
  // Everything before `next` has been handled. Partitions that are not assigned are left alone.
  void Handled(const PartitionId& partition, std::int64_t next);

  // What is to be committed.
  Offsets Uncommitted() const;
  void Committed(const Offsets& offsets);

  // What is known of the positions.
  Offsets Positions() const;
  // True when the position of every partition is known; false without partitions.
  bool complete() const;

 private:
  struct State {
    std::int64_t position = -1;
    std::int64_t committed = -1;
  };
  std::map<PartitionId, State> partitions_;
};

}  // namespace bv::kafka
