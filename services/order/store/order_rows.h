// The rows of orders. Everything here throws what libpqxx throws.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/order/domain/order.h"
#include "services/order/store/order_key.h"

namespace bv::order {

// NOT_FOUND, reason ORDER_NOT_FOUND, also when `user_id` is not empty and the order is another's.
absl::StatusOr<Order> ReadOrder(postgres::Session& session, const TenantId& tenant, const OrderId& id,
                                const std::string& user_id);

// Those of the orders that there are, locked until the transaction ends; the keys are sorted, so that
// transactions wait for each other in one direction only.
std::map<OrderKey, Order> LockOrders(postgres::Session& session, const std::vector<OrderKey>& keys);

// At most `limit` orders of a user, newest first; of `store` and older than `before` if those are not empty.
std::vector<Order> ListOrders(postgres::Session& session, const TenantId& tenant, const std::string& user_id,
                              const StoreCode& store, const std::string& before, int limit);

}  // namespace bv::order
