#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/money.h"
#include "libs/postgres/postgres.h"

namespace bv::analytics {

struct OrderRow {
  std::string order_id;
  std::string status, payment_status, fulfillment_status;
  Money total;
  absl::Time created_at;
  absl::Time updated_at;
  std::int64_t version = 0;
};

// Newest first, `limit` at most, from behind `before` on (empty: from the newest). Throws what libpqxx
// throws.
std::vector<OrderRow> ReadOrders(postgres::Session& session, const TenantId& tenant,
                                 const std::string& user_id, const std::string& before, int limit);

}  // namespace bv::analytics
