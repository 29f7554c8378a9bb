#include "services/webhook-dispatcher/store/change_subscription.h"

#include <absl/strings/str_join.h>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "services/webhook-dispatcher/events/subscription_events.h"
#include "services/webhook-dispatcher/store/deliveries.h"
#include "services/webhook-dispatcher/store/subscription_rows.h"

namespace bv::webhook {

absl::Status SubscriptionNotFound() {
  return NotFound("SUBSCRIPTION_NOT_FOUND", "there is no such subscription");
}

absl::StatusOr<Subscription> CreateSubscription(postgres::Session& session, const RequestContext& context,
                                                Subscription subscription) {
  if (LockAndCountSubscriptions(session, context.tenant) >= kSubscriptionsMax) {
    return Error(absl::StatusCode::kFailedPrecondition, "SUBSCRIPTIONS_FULL",
                 Concat("there are ", kSubscriptionsMax, " subscriptions; delete one first"));
  }
  ForgetDeleted(session, context.tenant);
  InsertSubscription(session, subscription);
  std::string detail = Concat("event types: ", absl::StrJoin(subscription.event_types, ", "));
  if (!subscription.stores.empty()) detail += Concat("; stores: ", StoreWords(subscription.stores));
  InsertAudit(session, context, subscription.id, AuditAction::kCreated, detail);
  CrashPoint("webhook-dispatcher.subscription.written");
  session.OnCommit([] { CrashPoint("webhook-dispatcher.subscription.committed"); });
  return subscription;
}

absl::StatusOr<Subscription> ChangeSubscription(postgres::Session& session, const RequestContext& context,
                                                const SubscriptionId& id, AuditAction action,
                                                const Change& change) {
  std::optional<Subscription> subscription = LockSubscription(session, context.tenant, id);
  if (!subscription) return SubscriptionNotFound();
  ASSIGN_OR_RETURN(const std::string changed, change(*subscription, session.transaction_time()));
  if (changed.empty()) return *std::move(subscription);
  UpdateSubscription(session, *subscription);
  InsertAudit(session, context, id, action, changed);
  return *std::move(subscription);
}

absl::StatusOr<Subscription> ResumeSubscription(postgres::Session& session, const RequestContext& context,
                                                const SubscriptionId& id) {
  const Change resume = [](Subscription& subscription, absl::Time) { return Resume(subscription); };
  const SubscriptionKey key{.tenant = context.tenant, .subscription = id};
  // First, as whoever disables a subscription locks its endpoint first, too.
  NoteHealth(session, {}, {&key, 1});
  return ChangeSubscription(session, context, id, AuditAction::kResumed, resume);
}

absl::Status DeleteSubscription(postgres::Session& session, const RequestContext& context,
                                const SubscriptionId& id) {
  if (MarkDeleted(session, context.tenant, id)) {
    InsertAudit(session, context, id, AuditAction::kDeleted, "");
    return absl::OkStatus();
  }
  return WasDeleted(session, context.tenant, id) ? absl::OkStatus() : SubscriptionNotFound();
}

absl::Status DisableSubscription(postgres::Session& session, const RequestContext& context,
                                 const SubscriptionId& id, DisabledReason reason,
                                 std::optional<absl::Time> failing_since) {
  std::optional<Subscription> subscription = LockSubscription(session, context.tenant, id);
  if (!subscription) return absl::OkStatus();
  const std::string changed = Disable(*subscription, reason);
  if (changed.empty()) return absl::OkStatus();
  UpdateSubscription(session, *subscription);
  InsertAudit(session, context, id, AuditAction::kDisabled, changed, kOwnActor);
  ASSIGN_OR_RETURN(const events::OutboxRow event, DisabledEvent(*subscription, failing_since, context));
  events::InsertOutbox(session, {event});
  return absl::OkStatus();
}

}  // namespace bv::webhook
