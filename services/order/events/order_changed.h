#pragma once

#include <absl/status/statusor.h>

#include <string_view>
#include <vector>

#include "libs/events/outbox.h"
#include "services/order/domain/order.h"

namespace bv::order {

// What one change of an order announces: ecommerce.order.order.paid.v1, canceled.v1 and fulfilled.v1, each
// when it has become that, and status_changed.v1 with every change. `reason` as in the history.
absl::StatusOr<std::vector<events::OutboxRow>> OrderChangedRows(const Order& before, const Order& after,
                                                                std::string_view reason,
                                                                const RequestContext& context);

}  // namespace bv::order
