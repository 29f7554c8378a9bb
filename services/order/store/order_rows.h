// The rows of orders. Everything here throws what libpqxx throws.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/order/domain/order.h"
#include "services/order/store/create_batch.h"

namespace bv::order {

// Inserts the orders that are not there yet and returns those.
std::vector<OrderLanes::Item*> InsertOrders(postgres::Session& session,
                                            const std::vector<OrderLanes::Item*>& items);
// Sets created_at and updated_at to what is stored.
void ReadTimes(postgres::Session& session, const std::vector<OrderLanes::Item*>& items);
void InsertItems(postgres::Session& session, const std::vector<OrderLanes::Item*>& items);
// The present state of each order as its newest line of history.
void InsertHistory(postgres::Session& session, const std::vector<OrderLanes::Item*>& items,
                   std::string_view reason);

// NOT_FOUND, reason ORDER_NOT_FOUND, also when `user_id` is not empty and the order is another's.
absl::StatusOr<Order> ReadOrder(postgres::Session& session, const TenantId& tenant, const OrderId& id,
                                const std::string& user_id);

// At most `limit` orders of a user, newest first, older than `before` if that is not empty.
std::vector<Order> ListOrders(postgres::Session& session, const TenantId& tenant, const std::string& user_id,
                              const std::string& before, int limit);

struct IdempotencyRecord {
  std::string request_hash;
  OrderId order;
};
// What a key was used for in the last 24 hours.
std::optional<IdempotencyRecord> ReadIdempotencyRecord(postgres::Session& session, const TenantId& tenant,
                                                       const std::string& user_id,
                                                       const std::string& key_hash);

}  // namespace bv::order
