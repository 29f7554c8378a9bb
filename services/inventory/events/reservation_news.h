#pragma once

#include <absl/status/statusor.h>

#include "libs/events/outbox.h"
#include "services/inventory/domain/desk.h"

namespace bv::inventory {

// ecommerce.inventory.reservation.{held,rejected,released,expired}.v1.
absl::StatusOr<events::OutboxRow> ReservationNewsRow(const ReservationNews& news, absl::Time occurred_at);

}  // namespace bv::inventory
