// What a cart is, who may use it, and how it changes; pure.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/request_context.h"
#include "libs/base/values.h"
#include "services/cart/domain/hold.h"

namespace bv::cart {

inline constexpr std::int64_t kQuantityMax = 10'000;
inline constexpr std::size_t kItemsMax = 100;

// The secret of a session: 16 to 128 of A-Z a-z 0-9 _ -
BV_DEFINE_VALUE(SessionId, "sessionId");

// Who a cart belongs to, or who asks for it: one of the two is set.
struct Owner {
  std::string user_id;
  // SHA-256 of the session's secret, hexadecimal.
  std::string session_hash;

  friend bool operator==(const Owner&, const Owner&) = default;
};

struct Item {
  SkuCode sku;
  std::int64_t qty = 0;
  // The cart's version at the item's last change.
  std::int64_t version = 0;
  Hold hold = {};

  friend bool operator==(const Item&, const Item&) = default;
};

struct Cart {
  CartId id;
  Owner owner;
  // In the order in which they were added.
  std::vector<Item> items;
  absl::Time expires_at;
  absl::Time updated_at;
  // Grows by one with every change of the items.
  std::int64_t version = 0;
};

// Who calls.
struct Caller {
  std::string user_id;
  Role role = Role::kNone;
  // Of the secret that the call names; empty when it names none.
  std::string session_hash;
};

// The session where the call names one, else the user.
Owner OwnerOf(const Caller& caller);

// A user cart is its user's and, to read, the back office's; a session cart is whoever's knows the secret.
bool MayRead(const Cart& cart, const Caller& caller);
bool MayChange(const Cart& cart, const Caller& caller);

// INVALID_ARGUMENT unless 0 to kQuantityMax.
absl::Status CheckQuantity(std::int64_t qty);

// Sets the quantity of an item; 0 removes it. FAILED_PRECONDITION, reason CART_FULL, when a new item would be
// one too many.
absl::Status SetItem(Cart& cart, const SkuCode& sku, std::int64_t qty);

// Adds the items of `from`; the sum of two quantities stops at kQuantityMax. FAILED_PRECONDITION, reason
// CART_FULL, when not all of them fit; `cart` is then as before.
absl::Status Merge(Cart& cart, const Cart& from);

// What a cart asks inventory for: to hold so much of an item, in place of what it held before; 0 gives that
// back.
struct HoldRequest {
  SkuCode sku;
  std::int64_t qty = 0;
  std::int64_t item_version = 0;
  // The cart whose hold of the item ends as this one begins.
  std::optional<CartId> replaces = {};

  friend bool operator==(const HoldRequest&, const HoldRequest&) = default;
};
enum class HoldItems { kNo, kYes };

// Makes `after`, which differs from `before` in its items, the cart's next version, and returns what it asks
// for: the items that changed, where items are held, and to give back what is held and no longer wanted. What
// is given back comes first.
std::vector<HoldRequest> Renew(const Cart& before, Cart& after, HoldItems hold_items);

// What `requests`, of a cart into which `from` was merged, take over of its holds.
void TakeOver(std::vector<HoldRequest>& requests, const Cart& from);

}  // namespace bv::cart
