#include "services/cart/store/change_cart.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/cart/store/cart_rows.h"

namespace bv::cart {
namespace {

// Another transaction may close or delete a cart between two statements of this one; so often in a row it
// does not.
constexpr int kAttemptsMax = 3;

absl::Status CartBusy() {
  return Error(absl::StatusCode::kAborted, "CART_BUSY", "the cart was changed at the same time; try again");
}

}  // namespace

absl::Status CartNotFound() {
  return NotFound("CART_NOT_FOUND", "there is no such cart");
}

absl::StatusOr<Cart> OpenCart(postgres::Session& session, const TenantId& tenant, const Owner& owner,
                              absl::Duration ttl) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    std::optional<CartId> id = FindCart(session, tenant, owner);
    if (!id) {
      InsertCart(session, tenant, owner, ttl);
      id = FindCart(session, tenant, owner);
    }
    if (!id) continue;
    if (std::optional<Cart> cart = ReadCart(session, tenant, *id)) return *std::move(cart);
  }
  return CartBusy();
}

absl::StatusOr<Cart> ChangeItem(postgres::Session& session, const TenantId& tenant, const CartId& id,
                                const Caller& caller, const Item& item, absl::Duration ttl) {
  LockCart(session, tenant, id);
  // Read after the lock: by a snapshot that has what the change before this one wrote.
  const std::optional<Cart> before = ReadCart(session, tenant, id);
  if (!before || !MayChange(*before, caller)) return CartNotFound();
  Cart after = *before;
  RETURN_IF_ERROR(SetItem(after, item.sku, item.qty));
  if (after.items != before->items) WriteCart(session, tenant, *before, after, ttl);
  return after;
}

absl::StatusOr<Cart> MergeCarts(postgres::Session& session, const TenantId& tenant,
                                const std::string& user_id, const std::string& session_hash,
                                absl::Duration ttl) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    ASSIGN_OR_RETURN(Cart own, OpenCart(session, tenant, {.user_id = user_id}, ttl));
    const std::optional<CartId> session_id = FindCart(session, tenant, {.session_hash = session_hash});
    if (!session_id) return own;
    // Always in this order, so that two merges cannot deadlock.
    LockCart(session, tenant, std::min(own.id, *session_id));
    LockCart(session, tenant, std::max(own.id, *session_id));
    const std::optional<Cart> before = ReadCart(session, tenant, own.id);
    const std::optional<Cart> from = ReadCart(session, tenant, *session_id);
    if (!before || !from) continue;
    Cart merged = *before;
    RETURN_IF_ERROR(Merge(merged, *from));
    if (merged.items != before->items) WriteCart(session, tenant, *before, merged, ttl);
    CloseCart(session, tenant, from->id);
    return merged;
  }
  return CartBusy();
}

}  // namespace bv::cart
