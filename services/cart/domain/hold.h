// What is held for an item of a cart, and what inventory's answers change about it; pure.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/values.h"

namespace bv::cart {

enum class HoldState {
  // Nothing is held and nothing asked for.
  kNone,
  kRequested,
  kHeld,
  // There was not enough.
  kRejected,
  kExpired,
};

struct Hold {
  HoldState state = HoldState::kNone;
  // Of kHeld.
  std::int64_t qty = 0;
  absl::Time until;

  friend bool operator==(const Hold&, const Hold&) = default;
};

// "REQUESTED" and so on, as it is stored; empty for kNone.
std::string_view WordOf(HoldState state);
HoldState HoldStateOf(std::string_view word);

// True while inventory holds something or may come to.
inline bool IsOpen(const Hold& hold) {
  return hold.state == HoldState::kRequested || hold.state == HoldState::kHeld;
}

// Which tenants' carts hold their items, and for how long.
class HoldPolicy {
 public:
  // `tenants` may be "*" alone, for all of them. INVALID_ARGUMENT for what is no tenant.
  static absl::StatusOr<HoldPolicy> Create(const std::vector<std::string>& tenants, absl::Duration ttl);
  // Nobody's.
  HoldPolicy() = default;

  // Absent when the tenant's carts hold nothing.
  std::optional<absl::Duration> TtlFor(const TenantId& tenant) const;

 private:
  bool every_tenant_ = false;
  std::vector<TenantId> tenants_;
  absl::Duration ttl_;
};

// The id under which inventory holds an item: always the same one, so that a new request takes the place of
// the one before.
HoldId HoldIdOf(const TenantId& tenant, const CartId& cart, const SkuCode& sku);

// What inventory says about the hold of one item.
struct HoldAnswer {
  enum class Kind { kHeld, kRejected, kReleased, kExpired };
  Kind kind = Kind::kHeld;
  // Of the item, as it was when the hold was asked for.
  std::int64_t item_version = 0;
  // Of kHeld.
  std::int64_t qty = 0;
  absl::Time until;
};

// The hold of an item after an answer. It stays as it is when the answer is for another version of the item,
// or was overtaken by a later answer: then the message has come a second time.
Hold Answered(const Hold& hold, std::int64_t item_version, const HoldAnswer& answer);

}  // namespace bv::cart
