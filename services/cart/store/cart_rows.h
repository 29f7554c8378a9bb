// The rows of carts. Everything here runs inside a transaction or read of `session`, and throws what libpqxx
// throws. Carts that are closed or expired, by the database's clock, are not there.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/cart/domain/cart.h"

namespace bv::cart {

// With its items, as one moment shows it; a hold whose time is over is expired.
std::optional<Cart> ReadCart(postgres::Session& session, const TenantId& tenant, const CartId& id);
std::optional<CartId> FindCart(postgres::Session& session, const TenantId& tenant, const Owner& owner);

// Holds off other changes of the cart until the transaction ends.
void LockCart(postgres::Session& session, const TenantId& tenant, const CartId& id);

// Makes the owner's cart, unless another transaction does so at the same time.
void InsertCart(postgres::Session& session, const TenantId& tenant, const Owner& owner, absl::Duration ttl);

// Stores `after`, of which `before` is what is stored now: the items that differ, and the new time of expiry,
// which it sets in `after`.
void WriteCart(postgres::Session& session, const TenantId& tenant, const Cart& before, Cart& after,
               absl::Duration ttl);
void CloseCart(postgres::Session& session, const TenantId& tenant, const CartId& id);

// The tenants that have carts, in order, after `after`.
std::vector<TenantId> ListTenants(postgres::Session& session, const TenantId& after, int limit);
// Deletes the tenant's carts that expired first. Returns how many.
int DeleteExpired(postgres::Session& session, const TenantId& tenant, int limit);

}  // namespace bv::cart
