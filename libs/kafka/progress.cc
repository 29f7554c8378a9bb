#include "libs/kafka/progress.h"

#include <algorithm>

namespace bv::kafka {

void Progress::Assign(const std::vector<PartitionId>& partitions, absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  partitions_.clear();
  for (const PartitionId& partition : partitions) partitions_.emplace(partition, State{.untaken_since = now});
}

bool Progress::empty() const {
  const absl::MutexLock lock(&mutex_);
  return partitions_.empty();
}

void Progress::Begin(const PartitionId& partition, std::int64_t offset) {
  const absl::MutexLock lock(&mutex_);
  const auto found = partitions_.find(partition);
  if (found != partitions_.end() && found->second.position < 0) found->second.position = offset;
}

void Progress::Taken(const PartitionId& partition, std::int64_t offset, absl::Time written_at) {
  const absl::MutexLock lock(&mutex_);
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return;
  State& state = found->second;
  if (state.position < 0) state.position = offset;
  state.taken = std::min(state.taken, written_at);
}

void Progress::Handled(const PartitionId& partition, std::int64_t next, absl::Time written_at) {
  const absl::MutexLock lock(&mutex_);
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return;
  State& state = found->second;
  state.taken = absl::InfiniteFuture();
  if (next <= state.position) return;
  state.position = next;
  state.untaken_since = written_at;
}

void Progress::Seen(const PartitionId& partition, std::int64_t end, absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return;
  State& state = found->second;
  state.end = end;
  if (state.position >= end) state.untaken_since = now;
}

Offsets Progress::Uncommitted() const {
  const absl::MutexLock lock(&mutex_);
  Offsets offsets;
  for (const auto& [partition, state] : partitions_) {
    if (state.position >= 0 && state.position != state.committed) offsets.emplace(partition, state.position);
  }
  return offsets;
}

void Progress::Committed(const Offsets& offsets) {
  const absl::MutexLock lock(&mutex_);
  for (const auto& [partition, offset] : offsets) {
    const auto found = partitions_.find(partition);
    if (found != partitions_.end()) found->second.committed = offset;
  }
}

Offsets Progress::Positions() const {
  const absl::MutexLock lock(&mutex_);
  Offsets offsets;
  for (const auto& [partition, state] : partitions_) {
    if (state.position >= 0) offsets.emplace(partition, state.position);
  }
  return offsets;
}

bool Progress::complete() const {
  const absl::MutexLock lock(&mutex_);
  return !partitions_.empty() &&
         std::ranges::all_of(partitions_, [](const auto& entry) { return entry.second.position >= 0; });
}

absl::Time Progress::oldest_waiting() const {
  const absl::MutexLock lock(&mutex_);
  absl::Time oldest = absl::InfiniteFuture();
  for (const auto& [partition, state] : partitions_) {
    if (state.taken != absl::InfiniteFuture()) {
      oldest = std::min(oldest, state.taken);
    } else if (state.position >= 0 && state.position < state.end) {
      oldest = std::min(oldest, state.untaken_since);
    }
  }
  return oldest;
}

}  // namespace bv::kafka
