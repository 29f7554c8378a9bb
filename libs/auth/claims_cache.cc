#include "libs/auth/claims_cache.h"

#include <openssl/sha.h>

#include <algorithm>
#include <utility>

namespace bv::auth {

ClaimsCache::ClaimsCache(std::size_t entries_max) : half_max_(std::max<std::size_t>(entries_max / 2, 1)) {}

ClaimsCache::Key ClaimsCache::KeyOf(std::string_view token) {
  Key key;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), key.data());
  return key;
}

std::optional<Claims> ClaimsCache::Find(const Key& key, std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (const auto found = newer_.find(key); found != newer_.end()) {
    if (found->second.generation != generation) return std::nullopt;
    return found->second.claims;
  }
  const auto found = older_.find(key);
  if (found == older_.end() || found->second.generation != generation) return std::nullopt;
  Entry entry = std::move(found->second);
  older_.erase(found);
  Claims claims = entry.claims;
  PutLocked(key, std::move(entry));
  return claims;
}

void ClaimsCache::Put(const Key& key, const Claims& claims, std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  older_.erase(key);
  PutLocked(key, {claims, generation});
}

void ClaimsCache::PutLocked(const Key& key, Entry entry) {
  if (newer_.size() >= half_max_ && !newer_.contains(key)) older_ = std::exchange(newer_, {});
  newer_[key] = std::move(entry);
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
