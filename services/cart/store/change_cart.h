// The transactions that make and change carts. They throw what libpqxx throws, and are rolled back by an
// error.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/cart/domain/cart.h"

namespace bv::cart {

// What the transactions go by.
struct CartRules {
  // How long a cart is kept after its last change.
  absl::Duration ttl;
  HoldPolicy holds = {};
};

absl::Status CartNotFound();

// The owner's cart; made when there is none.
absl::StatusOr<Cart> OpenCart(postgres::Session& session, const TenantId& tenant, const Owner& owner,
                              absl::Duration ttl);

// NOT_FOUND, reason CART_NOT_FOUND, also for a cart that the caller may not change; and what SetItem refuses.
// With the change it writes the events that ask for the item's hold, or give it back.
absl::StatusOr<Cart> ChangeItem(postgres::Session& session, const RequestContext& context, const CartId& id,
                                const Caller& caller, const Item& item, const CartRules& rules);

// Moves the items of the session's cart into the own one of the context's user and closes the former. Without
// a session cart, that is also when this was done before, just the user's cart. FAILED_PRECONDITION, reason
// CART_FULL: both carts are then as before. What the session's cart held is given back, and asked for anew by
// the user's.
absl::StatusOr<Cart> MergeCarts(postgres::Session& session, const RequestContext& context,
                                const std::string& session_hash, const CartRules& rules);

}  // namespace bv::cart
