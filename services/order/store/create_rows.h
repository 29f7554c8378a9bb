// The rows of new orders. Everything here throws what libpqxx throws.
#pragma once

#include <map>
#include <vector>

#include "libs/events/outbox.h"
#include "services/order/store/create_batch.h"
#include "services/order/store/idempotency_rows.h"

namespace bv::order {

// Claims, orders, items, history and events, with one statement. False when a claim of the last 24 hours, an
// order or its reservation was there already: then nothing of the transaction is to be committed.
[[nodiscard]] bool InsertNewOrders(postgres::Session& session,
                                   const std::map<RecordKey, IdempotencyRecord>& claims,
                                   const std::vector<OrderLanes::Item*>& items,
                                   const std::vector<events::OutboxRow>& events);

// Those of the orders that are there, with the times that they have.
struct StoredTimes {
  absl::Time created_at;
};
std::map<OrderId, StoredTimes> FindOrders(postgres::Session& session,
                                          const std::vector<OrderLanes::Item*>& items);

}  // namespace bv::order
