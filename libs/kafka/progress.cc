#include "libs/kafka/progress.h"

#include <algorithm>

namespace bv::kafka {

void Progress::Assign(const std::vector<PartitionId>& partitions) {
  partitions_.clear();
  for (const PartitionId& partition : partitions) partitions_.emplace(partition, State());
}

void Progress::Begin(const PartitionId& partition, std::int64_t offset) {
  const auto found = partitions_.find(partition);
  if (found != partitions_.end() && found->second.position < 0) found->second.position = offset;
}

void Progress::Handled(const PartitionId& partition, std::int64_t next) {
  const auto found = partitions_.find(partition);
  if (found != partitions_.end()) found->second.position = std::max(found->second.position, next);
}

Offsets Progress::Uncommitted() const {
  Offsets offsets;
  for (const auto& [partition, state] : partitions_) {
    if (state.position >= 0 && state.position != state.committed) offsets.emplace(partition, state.position);
  }
  return offsets;
}

void Progress::Committed(const Offsets& offsets) {
  for (const auto& [partition, offset] : offsets) {
    const auto found = partitions_.find(partition);
    if (found != partitions_.end()) found->second.committed = offset;
  }
}

Offsets Progress::Positions() const {
  Offsets offsets;
  for (const auto& [partition, state] : partitions_) {
    if (state.position >= 0) offsets.emplace(partition, state.position);
  }
  return offsets;
}

bool Progress::complete() const {
  return !partitions_.empty() &&
         std::ranges::all_of(partitions_, [](const auto& entry) { return entry.second.position >= 0; });
}

}  // namespace bv::kafka
