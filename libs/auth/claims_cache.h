// Inside libs/auth: tokens that passed.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "libs/auth/auth.h"

namespace bv::auth {

// Keyed by the token's SHA-256, so that no token stays in memory. At most `entries_max`: two halves, one
// newer than the other, the older is forgotten as a whole when the newer is full; what is used stays. Thread
// safe. Does not look at the expiry, its caller does. Claims belong to a generation of the keys, and are not
// found with another one.
class ClaimsCache {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit ClaimsCache(std::size_t entries_max);

  static Key KeyOf(std::string_view token);

  std::optional<Claims> Find(const Key& key, std::uint64_t generation);
  void Put(const Key& key, const Claims& claims, std::uint64_t generation);
  void Erase(const Key& key);
  std::size_t size() const;

 private:
  struct Entry {
    Claims claims;
    std::uint64_t generation = 0;
  };
  using Half = absl::flat_hash_map<Key, Entry>;
  // With the lock held.
  void PutLocked(const Key& key, Entry entry);

  const std::size_t half_max_;
  mutable std::mutex mutex_;
  Half newer_;
  Half older_;
};

}  // namespace bv::auth
