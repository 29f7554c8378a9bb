// Changes of subscriptions with what belongs to them: the audit, and the event. Each runs in the caller's
// transaction and throws what libpqxx throws.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <optional>
#include <string>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/webhook-dispatcher/domain/subscription.h"
#include "services/webhook-dispatcher/store/audit_rows.h"

namespace bv::webhook {

// NOT_FOUND, reason SUBSCRIPTION_NOT_FOUND.
absl::Status SubscriptionNotFound();

// Stores it under its id. FAILED_PRECONDITION, reason SUBSCRIPTIONS_FULL.
absl::StatusOr<Subscription> CreateSubscription(postgres::Session& session, const RequestContext& context,
                                                Subscription subscription);

// Changes a subscription at the transaction's time and returns what was changed, in words; empty: nothing
// was, and nothing is stored. Nor is anything when it refuses.
using Change = std::function<absl::StatusOr<std::string>(Subscription& subscription, absl::Time now)>;
// Returns the subscription as it is then. SUBSCRIPTION_NOT_FOUND.
absl::StatusOr<Subscription> ChangeSubscription(postgres::Session& session, const RequestContext& context,
                                                const SubscriptionId& id, AuditAction action,
                                                const Change& change);

// What is paused or disabled goes on, as one whose receiver has never failed. SUBSCRIPTION_NOT_FOUND.
absl::StatusOr<Subscription> ResumeSubscription(postgres::Session& session, const RequestContext& context,
                                                const SubscriptionId& id);

// OK also for one that was deleted before. SUBSCRIPTION_NOT_FOUND.
absl::Status DeleteSubscription(postgres::Session& session, const RequestContext& context,
                                const SubscriptionId& id);

// By this service itself: nothing more is sent until somebody resumes it, and an event says so. Nothing
// happens to one that is disabled or deleted. Not OK when the event cannot be made.
absl::Status DisableSubscription(postgres::Session& session, const RequestContext& context,
                                 const SubscriptionId& id, DisabledReason reason,
                                 std::optional<absl::Time> failing_since);

}  // namespace bv::webhook
