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

// Keyed by the token's SHA-256, so that no token stays in memory. At most `entries_max`: two generations of
// half of that, the older is forgotten as a whole when the newer is full; what is used stays. Thread safe.
// Does not look at the expiry, its caller does.
class ClaimsCache {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit ClaimsCache(std::size_t entries_max);

  static Key KeyOf(std::string_view token);

  std::optional<Claims> Find(const Key& key);
  void Put(const Key& key, const Claims& claims);
  void Erase(const Key& key);
  std::size_t size() const;

 private:
  using Generation = absl::flat_hash_map<Key, Claims>;
  // With the lock held.
  void PutLocked(const Key& key, Claims claims);

  const std::size_t generation_max_;
  mutable std::mutex mutex_;
  Generation newer_;
  Generation older_;
};

}  // namespace bv::auth
