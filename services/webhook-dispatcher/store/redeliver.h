// Deliveries that somebody asks for. Each runs in the caller's transaction and throws what libpqxx throws.
#pragma once

#include <absl/status/statusor.h>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/webhook-dispatcher/store/delivery_log.h"

namespace bv::webhook {

constexpr int kRedeliveriesMax = 100'000;

// NOT_FOUND, reason DELIVERY_NOT_FOUND.
absl::Status DeliveryNotFound();

// Makes a delivery of a test event. SUBSCRIPTION_NOT_FOUND.
absl::StatusOr<DeliveryId> SendTest(postgres::Session& session, const RequestContext& context,
                                    const SubscriptionId& subscription);

// Makes another delivery of the same event. DELIVERY_NOT_FOUND; SUBSCRIPTION_NOT_FOUND when its subscription
// was deleted.
absl::StatusOr<DeliveryId> Redeliver(postgres::Session& session, const RequestContext& context,
                                     const DeliveryId& delivery);

// The same of all that the filter finds and whose subscription is there, kRedeliveriesMax at most, the oldest
// first. Returns how many.
int RedeliverRange(postgres::Session& session, const RequestContext& context, const DeliveryFilter& filter);

}  // namespace bv::webhook
