// Remembers what a process has answered, so that it never answers with anything older.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>

namespace bv::redis {

// Thread safe. Knows the newest version of the `keys_max` keys that were answered last, and of up to as many
// before them; of what it has forgotten, everything passes. Two keys that share a hash share a version: then
// a value may be refused that is not old, which costs a question to its owner.
class VersionGate {
 public:
  // 32 bytes a key.
  explicit VersionGate(std::size_t keys_max = 100'000) : keys_max_(std::max<std::size_t>(keys_max, 1)) {}

  // Whether `version` may be answered: it is not older than any that passed. Then nothing older will pass.
  [[nodiscard]] bool Pass(std::string_view key, std::int64_t version) {
    const std::uint64_t hash = absl::HashOf(key);
    const std::lock_guard lock(mutex_);
    std::int64_t newest = version;
    if (const auto found = lately_.find(hash); found != lately_.end()) {
      newest = found->second;
    } else if (const auto earlier = before_.find(hash); earlier != before_.end()) {
      newest = earlier->second;
    }
    if (lately_.size() >= keys_max_ && !lately_.contains(hash)) {
      before_ = std::exchange(lately_, {});
    }
    lately_[hash] = std::max(newest, version);
    return version >= newest;
  }

 private:
  using Versions = absl::flat_hash_map<std::uint64_t, std::int64_t>;
  const std::size_t keys_max_;
  std::mutex mutex_;
  Versions lately_;
  Versions before_;
};

}  // namespace bv::redis
