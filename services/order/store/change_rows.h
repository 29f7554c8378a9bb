// Rows that changes of orders write, and what is asked about them. Everything here throws what libpqxx
// throws.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <utility>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/order/domain/order.h"
#include "services/order/store/order_key.h"

namespace bv::order {

// The states of an order after one change.
struct HistoryEntry {
  std::int64_t version = 0;
  Status status = Status::kPending;
  PaymentStatus payment_status = PaymentStatus::kPending;
  FulfillmentStatus fulfillment_status = FulfillmentStatus::kUnfulfilled;
  // The user, or the service that did it.
  std::string actor;
  std::string reason;
  absl::Time at;
};

// States, hold, payment, version and time of change.
void UpdateOrders(postgres::Session& session, const std::vector<std::pair<OrderKey, const Order*>>& orders);
// With the transaction's time.
void InsertHistory(postgres::Session& session, const std::vector<std::pair<OrderKey, HistoryEntry>>& entries);

// Oldest first. NOT_FOUND as ReadOrder.
absl::StatusOr<std::vector<HistoryEntry>> ReadHistory(postgres::Session& session, const TenantId& tenant,
                                                      const OrderId& order, const std::string& user_id);

struct ReservedOrder {
  std::string reservation_id;
  OrderId order;
};
// The orders that these reservations belong to.
std::vector<ReservedOrder> FindReservations(postgres::Session& session, const TenantId& tenant,
                                            const std::vector<std::string>& reservation_ids);

}  // namespace bv::order
