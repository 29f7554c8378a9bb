#include "services/webhook-dispatcher/events/delivery_events.h"

#include "commerce/webhook/v1/events.pb.h"
#include "libs/rpc/timestamp.h"

namespace bv::webhook {

absl::StatusOr<events::OutboxRow> FailedEvent(const Delivery& delivery, const Attempt& last,
                                              absl::Time first_attempt_at, absl::Time now) {
  commerce::webhook::v1::DeliveryFailed failed;
  failed.set_subscription_id(delivery.subscription.str());
  failed.set_delivery_id(delivery.id.str());
  failed.set_event_id(delivery.event_id);
  failed.set_event_type(delivery.event_type);
  failed.set_attempts(last.number);
  failed.set_last_status(last.status);
  failed.set_error_class(last.error_class);
  *failed.mutable_first_attempt_at() = rpc::ToTimestamp(first_attempt_at);
  *failed.mutable_last_attempt_at() = rpc::ToTimestamp(last.at);
  RequestContext context;
  context.tenant = delivery.tenant;
  context.role = Role::kService;
  return events::MakeRow(failed, delivery.sequence, now, context);
}

}  // namespace bv::webhook
