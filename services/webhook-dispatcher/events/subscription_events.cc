#include "services/webhook-dispatcher/events/subscription_events.h"

#include "commerce/webhook/v1/events.pb.h"
#include "libs/rpc/timestamp.h"

namespace bv::webhook {

namespace pb = commerce::webhook::v1;

absl::StatusOr<events::OutboxRow> DisabledEvent(const Subscription& subscription,
                                                std::optional<absl::Time> failing_since,
                                                const RequestContext& context) {
  pb::SubscriptionDisabled payload;
  payload.set_subscription_id(subscription.id.str());
  if (subscription.disabled_reason) payload.set_reason(std::string(Word(*subscription.disabled_reason)));
  if (failing_since) *payload.mutable_failing_since() = rpc::ToTimestamp(*failing_since);
  return events::MakeRow(payload, subscription.version, subscription.updated_at, context);
}

absl::StatusOr<events::OutboxRow> TestEvent(const Subscription& subscription, absl::Time now,
                                            const RequestContext& context) {
  pb::SubscriptionTested payload;
  payload.set_subscription_id(subscription.id.str());
  payload.set_message("A test, sent because somebody asked for it.");
  return events::MakeRow(payload, subscription.version, now, context);
}

}  // namespace bv::webhook
