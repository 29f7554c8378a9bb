// The events of subscriptions.
#pragma once

#include <absl/status/statusor.h>

#include <optional>

#include "libs/events/outbox.h"
#include "services/webhook-dispatcher/domain/subscription.h"

namespace bv::webhook {

// SubscriptionDisabled, of one that is disabled now, for the outbox.
absl::StatusOr<events::OutboxRow> DisabledEvent(const Subscription& subscription,
                                                std::optional<absl::Time> failing_since,
                                                const RequestContext& context);

// SubscriptionTested, which goes to the subscription and never into the outbox.
absl::StatusOr<events::OutboxRow> TestEvent(const Subscription& subscription, absl::Time now,
                                            const RequestContext& context);

}  // namespace bv::webhook
