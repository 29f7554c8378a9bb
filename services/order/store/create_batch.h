// One batch of the lane that stores new orders: idempotency records, orders, items, history and outbox, all
// with one statement.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string>

#include "libs/postgres/lane.h"
#include "services/order/domain/order.h"

namespace bv::order {

struct CreateCommand {
  // Without created_at it gets the time of the batch.
  Order order;
  // SHA-256 of the Idempotency-Key and of the request; both empty without a key.
  std::string key_hash;
  std::string request_hash;
  // Set by the batch: something of it was there already, so look before inserting.
  bool look_first = false;
};

struct Created {
  // Another one than the command's when its key had been used for the same request before.
  OrderId id;
  absl::Time created_at;
  bool repeated = false;
};

using OrderLanes = postgres::Lanes<CreateCommand, Created>;

// OrderLanes::Execute. INVALID_ARGUMENT, reason IDEMPOTENCY_KEY_REUSED, is the answer to a key that stands
// for another request.
absl::Status ExecuteCreateBatch(postgres::Session& session, std::span<OrderLanes::Item* const> items);

}  // namespace bv::order
