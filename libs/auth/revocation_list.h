// Tokens that are no longer good although they have not expired.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstddef>
#include <optional>
#include <shared_mutex>
#include <string>

#include "libs/base/request_context.h"

namespace bv::auth {

struct Claims;

struct Revocation {
  // Of another tenant's tokens it says nothing.
  TenantId tenant;
  // `sub`.
  std::string subject;
  // `jti` of the one token; empty: every token of the subject that was issued until `issued_until`.
  std::string token_id;
  absl::Time issued_until;
  // By then every such token has expired by itself.
  absl::Time forget_after;
};

// Thread safe, and nearly free while it is empty. At most `entries_max` revocations, about 200 bytes each:
// one more, and those of the tenant that has the most become a single one, of all of its people's tokens
// issued until now, so that none that was revoked is good again. Tokens of the fleet's own (role SERVICE),
// which live for minutes, are not among these.
class RevocationList {
 public:
  explicit RevocationList(std::size_t entries_max = 200'000) : entries_max_(entries_max) {}

  // What is to be forgotten by `now` is not taken, and forgotten once a minute.
  void Add(const Revocation& revocation, absl::Time now = absl::Now());
  // A token without `iat` counts as issued before everything.
  bool Revokes(const Claims& claims) const;
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct IssuedUntil {
    absl::Time time;
    absl::Time forget_after;
  };
  struct Tenant {
    // The end of each, by token.
    absl::flat_hash_map<std::string, absl::Time> tokens;
    absl::flat_hash_map<std::string, IssuedUntil> subjects;
    // Of everybody; takes the place of the entries above.
    std::optional<IssuedUntil> all;
    std::size_t size() const { return tokens.size() + subjects.size() + (all ? 1 : 0); }
  };

  // With the lock held.
  void Forget(absl::Time now);
  void MakeRoom(absl::Time now);
  void Count();

  const std::size_t entries_max_;
  mutable std::shared_mutex mutex_;
  absl::flat_hash_map<std::string, Tenant> tenants_;
  absl::Time forgot_at_ = absl::InfinitePast();
  std::atomic<std::size_t> size_ = 0;
};

}  // namespace bv::auth
