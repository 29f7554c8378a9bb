#include "libs/auth/claims_cache.h"

#include <openssl/sha.h>

#include <algorithm>
#include <utility>

namespace bv::auth {

ClaimsCache::ClaimsCache(std::size_t entries_max)
    : generation_max_(std::max<std::size_t>(entries_max / 2, 1)) {}

ClaimsCache::Key ClaimsCache::KeyOf(std::string_view token) {
  Key key;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), key.data());
  return key;
}

std::optional<Claims> ClaimsCache::Find(const Key& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = newer_.find(key); found != newer_.end()) return found->second;
  const auto found = older_.find(key);
  if (found == older_.end()) return std::nullopt;
  Claims claims = std::move(found->second);
  older_.erase(found);
  PutLocked(key, claims);
  return claims;
}

void ClaimsCache::Put(const Key& key, const Claims& claims) {
  const std::lock_guard lock(mutex_);
  older_.erase(key);
  PutLocked(key, claims);
}

void ClaimsCache::PutLocked(const Key& key, Claims claims) {
  if (newer_.size() >= generation_max_ && !newer_.contains(key)) older_ = std::exchange(newer_, {});
  newer_[key] = std::move(claims);
}

void ClaimsCache::Erase(const Key& key) {
  const std::lock_guard lock(mutex_);
  newer_.erase(key);
  older_.erase(key);
}

std::size_t ClaimsCache::size() const {
  const std::lock_guard lock(mutex_);
  return newer_.size() + older_.size();
}

}  // namespace bv::auth
