// What the service announces: the outcomes of payments.
#pragma once

#include <absl/status/statusor.h>

#include "libs/base/request_context.h"
#include "libs/events/outbox.h"
#include "services/payment-adapter/domain/payment.h"

namespace bv::payment {

// The event of a payment that has just become SUCCEEDED, FAILED or REFUNDED; INTERNAL for any other.
absl::StatusOr<events::OutboxRow> OutcomeRow(const Payment& payment, const RequestContext& context);

}  // namespace bv::payment
