#include "services/webhook-dispatcher/rpc/convert.h"

#include "commerce/webhook/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/events/event_type.h"
#include "libs/rpc/timestamp.h"
#include "services/webhook-dispatcher/domain/event_pattern.h"
#include "services/webhook-dispatcher/events/offered.h"
#include "services/webhook-dispatcher/store/change_subscription.h"
#include "services/webhook-dispatcher/store/new_secret.h"
#include "services/webhook-dispatcher/store/redeliver.h"

namespace bv::webhook {
namespace {

absl::StatusOr<DeliveryOrder> FromProto(pb::DeliveryOrder order) {
  switch (order) {
    case pb::DELIVERY_ORDER_UNSPECIFIED:
    case pb::DELIVERY_ORDER_ANY:
      return DeliveryOrder::kAny;
    case pb::DELIVERY_ORDER_FIFO:
      return DeliveryOrder::kFifo;
    default:
      return InvalidValue("order", "must be ANY or FIFO");
  }
}

pb::SubscriptionStatus ToProto(SubscriptionStatus status) {
  switch (status) {
    case SubscriptionStatus::kActive:
      return pb::SUBSCRIPTION_STATUS_ACTIVE;
    case SubscriptionStatus::kPaused:
      return pb::SUBSCRIPTION_STATUS_PAUSED;
    case SubscriptionStatus::kDisabled:
      return pb::SUBSCRIPTION_STATUS_DISABLED;
  }
  return pb::SUBSCRIPTION_STATUS_UNSPECIFIED;
}

pb::DeliveryStatus ToProto(DeliveryStatus status) {
  switch (status) {
    case DeliveryStatus::kQueued:
    case DeliveryStatus::kDeferred:
      return pb::DELIVERY_STATUS_PENDING;
    case DeliveryStatus::kDelivered:
      return pb::DELIVERY_STATUS_DELIVERED;
    case DeliveryStatus::kFailed:
      return pb::DELIVERY_STATUS_FAILED;
    case DeliveryStatus::kCanceled:
      return pb::DELIVERY_STATUS_CANCELED;
  }
  return pb::DELIVERY_STATUS_UNSPECIFIED;
}

// None for every status.
absl::StatusOr<std::vector<DeliveryStatus>> FromProto(pb::DeliveryStatus status) {
  switch (status) {
    case pb::DELIVERY_STATUS_UNSPECIFIED:
      return std::vector<DeliveryStatus>();
    case pb::DELIVERY_STATUS_PENDING:
      return std::vector{DeliveryStatus::kQueued, DeliveryStatus::kDeferred};
    case pb::DELIVERY_STATUS_DELIVERED:
      return std::vector{DeliveryStatus::kDelivered};
    case pb::DELIVERY_STATUS_FAILED:
      return std::vector{DeliveryStatus::kFailed};
    case pb::DELIVERY_STATUS_CANCELED:
      return std::vector{DeliveryStatus::kCanceled};
    default:
      return InvalidValue("status", "must be PENDING, DELIVERED, FAILED or CANCELED");
  }
}

absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& time, std::string_view field) {
  // To the year 2200: nanoseconds of a time behind it do not fit everywhere.
  if (time.seconds() < 0 || time.seconds() > 7'258'118'400 || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return InvalidValue(field, "must be a time from 1970 on");
  }
  return rpc::FromTimestamp(time);
}

std::vector<std::string> TextsOf(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

// Of what the two requests have both.
template <class Request>
absl::StatusOr<DeliveryFilter> FilterOf(const Request& request) {
  // Of what may be in the log.
  static const std::vector<std::string> logged = [] {
    std::vector<std::string> types(OfferedTypes().begin(), OfferedTypes().end());
    types.push_back(events::TypeOf<pb::SubscriptionTested>().name);
    return types;
  }();
  DeliveryFilter filter;
  if (!request.subscription_id().empty()) {
    ASSIGN_OR_RETURN(filter.subscription, SubscriptionId::Parse(request.subscription_id(), "subscriptionId"));
  }
  if (!request.event_type().empty()) {
    RETURN_IF_ERROR(CheckPattern(request.event_type(), logged, "eventType"));
    filter.event_type = request.event_type();
  }
  if (!request.store_code().empty()) {
    ASSIGN_OR_RETURN(filter.store, StoreCode::Parse(request.store_code()));
  }
  ASSIGN_OR_RETURN(filter.statuses, FromProto(request.status()));
  if (request.has_from()) {
    ASSIGN_OR_RETURN(filter.from, FromProto(request.from(), "from"));
  }
  if (request.has_until()) {
    ASSIGN_OR_RETURN(filter.until, FromProto(request.until(), "until"));
  }
  return filter;
}

bool IsEmpty(const DeliveryFilter& filter) {
  return filter.subscription.empty() && filter.event_type.empty() && filter.event_id.empty() &&
         filter.store.empty() && filter.statuses.empty() && !filter.from && !filter.until;
}

}  // namespace

absl::StatusOr<SubscriptionId> SubscriptionIdFromProto(const std::string& text) {
  absl::StatusOr<SubscriptionId> id = SubscriptionId::Parse(text);
  if (!id.ok()) return SubscriptionNotFound();
  return id;
}

absl::StatusOr<DeliveryId> DeliveryIdFromProto(const std::string& text) {
  absl::StatusOr<DeliveryId> id = DeliveryId::Parse(text);
  if (!id.ok()) return DeliveryNotFound();
  return id;
}

absl::StatusOr<Subscription> FromProto(const pb::CreateSubscriptionRequest& request, const TenantId& tenant,
                                       const egress::AddressPolicy& addresses) {
  Subscription subscription;
  subscription.tenant = tenant;
  subscription.id = SubscriptionId::New();
  RETURN_IF_ERROR(addresses.CheckUrl(request.url(), "url"));
  subscription.url = request.url();
  subscription.event_types = TextsOf(request.event_types());
  RETURN_IF_ERROR(CheckPatterns(subscription.event_types, OfferedTypes(), "eventTypes"));
  RETURN_IF_ERROR(CheckDescription(request.description()));
  subscription.description = request.description();
  ASSIGN_OR_RETURN(subscription.order, FromProto(request.order()));
  ASSIGN_OR_RETURN(subscription.stores, ParseStores(TextsOf(request.store_codes()), "storeCodes"));
  RETURN_IF_ERROR(CheckStores(subscription));
  subscription.secret = NewSecret();
  return subscription;
}

absl::StatusOr<SubscriptionChange> FromProto(const pb::UpdateSubscriptionRequest& request,
                                             const egress::AddressPolicy& addresses) {
  SubscriptionChange change;
  if (request.has_url()) {
    RETURN_IF_ERROR(addresses.CheckUrl(request.url(), "url"));
    change.url = request.url();
  }
  change.event_types = TextsOf(request.event_types());
  if (!change.event_types.empty())
    RETURN_IF_ERROR(CheckPatterns(change.event_types, OfferedTypes(), "eventTypes"));
  if (request.has_description()) {
    RETURN_IF_ERROR(CheckDescription(request.description()));
    change.description = request.description();
  }
  if (!request.store_codes().empty()) {
    ASSIGN_OR_RETURN(change.stores, ParseStores(TextsOf(request.store_codes()), "storeCodes"));
  }
  return change;
}

absl::Status CheckStores(const Subscription& subscription) {
  if (subscription.stores.empty()) return absl::OkStatus();
  return CheckAreOfStores(subscription.event_types, OfferedTypes(), OfferedTypesOfStores(), "eventTypes");
}

absl::StatusOr<absl::Duration> FromProto(const pb::RotateSecretRequest& request) {
  if (!request.has_overlap_seconds()) return kOverlapDefault;
  const absl::Duration overlap = absl::Seconds(request.overlap_seconds());
  RETURN_IF_ERROR(CheckOverlap(overlap));
  return overlap;
}

absl::StatusOr<DeliveryFilter> FromProto(const pb::ListDeliveriesRequest& request) {
  ASSIGN_OR_RETURN(DeliveryFilter filter, FilterOf(request));
  if (!request.event_id().empty()) RETURN_IF_ERROR(CheckText(request.event_id(), 1, 64, "eventId"));
  filter.event_id = request.event_id();
  return filter;
}

absl::StatusOr<DeliveryFilter> FromProto(const pb::RedeliverRangeRequest& request) {
  ASSIGN_OR_RETURN(DeliveryFilter filter, FilterOf(request));
  if (IsEmpty(filter)) {
    return Error(absl::StatusCode::kInvalidArgument, "FILTER_REQUIRED",
                 "give a subscriptionId, an eventType, a storeCode, a status or a time");
  }
  return filter;
}

pb::Subscription ToProto(const Subscription& subscription) {
  pb::Subscription result;
  result.set_subscription_id(subscription.id.str());
  result.set_url(subscription.url);
  for (const std::string& pattern : subscription.event_types) result.add_event_types(pattern);
  result.set_description(subscription.description);
  result.set_status(ToProto(subscription.status));
  if (subscription.disabled_reason)
    result.set_disabled_reason(std::string(Word(*subscription.disabled_reason)));
  result.set_order(subscription.order == DeliveryOrder::kFifo ? pb::DELIVERY_ORDER_FIFO
                                                              : pb::DELIVERY_ORDER_ANY);
  if (!subscription.previous_secret.empty())
    *result.mutable_previous_secret_until() = rpc::ToTimestamp(subscription.previous_secret_until);
  *result.mutable_created_at() = rpc::ToTimestamp(subscription.created_at);
  *result.mutable_updated_at() = rpc::ToTimestamp(subscription.updated_at);
  result.set_version(subscription.version);
  for (const StoreCode& store : subscription.stores) result.add_store_codes(store.str());
  return result;
}

pb::Subscription ToProtoWithSecret(const Subscription& subscription) {
  pb::Subscription result = ToProto(subscription);
  result.set_secret(subscription.secret.text());
  return result;
}

pb::AuditRecord ToProto(const AuditRecord& record) {
  pb::AuditRecord result;
  *result.mutable_at() = rpc::ToTimestamp(record.at);
  result.set_actor(record.actor);
  result.set_action(record.action);
  result.set_detail(record.detail);
  result.set_correlation_id(record.correlation_id);
  return result;
}

pb::Delivery ToProto(const LoggedDelivery& delivery) {
  pb::Delivery result;
  result.set_delivery_id(delivery.id.str());
  result.set_subscription_id(delivery.subscription.str());
  result.set_event_id(delivery.event_id);
  result.set_event_type(delivery.event_type);
  result.set_store_code(delivery.store);
  result.set_status(ToProto(delivery.status));
  result.set_attempts_made(delivery.attempts_made);
  *result.mutable_created_at() = rpc::ToTimestamp(delivery.created_at);
  if (delivery.ended_at) *result.mutable_ended_at() = rpc::ToTimestamp(*delivery.ended_at);
  result.set_redelivery_of(delivery.redelivery_of);
  for (const LoggedAttempt& attempt : delivery.attempts) {
    pb::Attempt* to = result.add_attempts();
    to->set_number(attempt.number);
    *to->mutable_at() = rpc::ToTimestamp(attempt.at);
    to->set_latency_millis(static_cast<int>(absl::ToInt64Milliseconds(attempt.latency)));
    to->set_status(attempt.status);
    to->set_error_class(attempt.error_class);
    to->set_detail(attempt.detail);
    to->set_answer(attempt.answer);
  }
  return result;
}

}  // namespace bv::webhook
