#pragma once

#include <absl/status/statusor.h>

#include "libs/events/outbox.h"
#include "services/order/domain/order.h"

namespace bv::order {

// ecommerce.order.order.created.v1.
absl::StatusOr<events::OutboxRow> OrderCreatedRow(const Order& order, const RequestContext& context);

}  // namespace bv::order
