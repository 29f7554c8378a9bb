// The event of a delivery that is given up.
#pragma once

#include <absl/status/statusor.h>

#include "libs/events/outbox.h"
#include "services/webhook-dispatcher/domain/delivery.h"
#include "services/webhook-dispatcher/store/deliveries.h"

namespace bv::webhook {

// DeliveryFailed, after `last`, the last attempt, for the outbox.
absl::StatusOr<events::OutboxRow> FailedEvent(const Delivery& delivery, const Attempt& last,
                                              absl::Time first_attempt_at, absl::Time now);

}  // namespace bv::webhook
