// Orders whose hold has expired and that are PENDING still.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/order/domain/order.h"

namespace bv::order {

struct OverdueOrder {
  TenantId tenant;
  OrderId order;
  std::string reservation_id;
  PaymentMethod payment_method = PaymentMethod::kCard;
  absl::Time hold_expires_at;
  // How long ago that was, by the database's clock.
  absl::Duration overdue;
};

// At most `limit` of all tenants with nothing under way, whose hold expired more than `grace` ago: the oldest
// first, and only those behind `last`, when that is given. In a session of postgres::EveryTenant(). Throws
// what libpqxx throws.
std::vector<OverdueOrder> FindOverdue(postgres::Session& session, absl::Duration grace,
                                      const OverdueOrder* last, int limit);

}  // namespace bv::order
