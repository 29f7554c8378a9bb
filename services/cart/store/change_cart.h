// The transactions that make and change carts. They throw what libpqxx throws, and are rolled back by an
// error.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

#include "libs/postgres/postgres.h"
#include "services/cart/domain/cart.h"

namespace bv::cart {

absl::Status CartNotFound();

// The owner's cart; made when there is none.
absl::StatusOr<Cart> OpenCart(postgres::Session& session, const TenantId& tenant, const Owner& owner,
                              absl::Duration ttl);

// NOT_FOUND, reason CART_NOT_FOUND, also for a cart that the caller may not change; and what SetItem refuses.
absl::StatusOr<Cart> ChangeItem(postgres::Session& session, const TenantId& tenant, const CartId& id,
                                const Caller& caller, const Item& item, absl::Duration ttl);

// Moves the items of the session's cart into the user's own and closes the former. Without a session cart,
// that is also when this was done before, just the user's cart. FAILED_PRECONDITION, reason CART_FULL: both
// carts are then as before.
absl::StatusOr<Cart> MergeCarts(postgres::Session& session, const TenantId& tenant,
                                const std::string& user_id, const std::string& session_hash,
                                absl::Duration ttl);

}  // namespace bv::cart
