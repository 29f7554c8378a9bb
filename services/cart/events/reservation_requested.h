#pragma once

#include <absl/status/statusor.h>

#include "libs/base/request_context.h"
#include "libs/events/outbox.h"
#include "services/cart/domain/cart.h"

namespace bv::cart {

// ecommerce.inventory.reservation.requested.v1: the cart wants so much of an item held for `hold_ttl`, in
// whole seconds, from when inventory takes the request.
absl::StatusOr<events::OutboxRow> ReservationRequestedRow(const HoldRequest& request, const Cart& cart,
                                                          absl::Duration hold_ttl, absl::Time occurred_at,
                                                          const RequestContext& context);

}  // namespace bv::cart
