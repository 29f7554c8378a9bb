// protobuf ↔ the domain.
#pragma once

#include <absl/status/statusor.h>

#include "commerce/webhook/v1/service.pb.h"
#include "libs/egress/address_policy.h"
#include "services/webhook-dispatcher/domain/subscription.h"
#include "services/webhook-dispatcher/store/audit_rows.h"
#include "services/webhook-dispatcher/store/delivery_log.h"

namespace bv::webhook {

namespace pb = commerce::webhook::v1;

// SUBSCRIPTION_NOT_FOUND and DELIVERY_NOT_FOUND for what is no such id.
absl::StatusOr<SubscriptionId> SubscriptionIdFromProto(const std::string& text);
absl::StatusOr<DeliveryId> DeliveryIdFromProto(const std::string& text);

// A new subscription of the tenant, its id and its secret made. INVALID_ARGUMENT as the contract says.
absl::StatusOr<Subscription> FromProto(const pb::CreateSubscriptionRequest& request, const TenantId& tenant,
                                       const egress::AddressPolicy& addresses);
absl::StatusOr<SubscriptionChange> FromProto(const pb::UpdateSubscriptionRequest& request,
                                             const egress::AddressPolicy& addresses);
// INVALID_ARGUMENT, reason EVENT_TYPE_WITHOUT_STORE, for one of single stores that asks for events of none.
absl::Status CheckStores(const Subscription& subscription);
// How long the secret before the new one signs.
absl::StatusOr<absl::Duration> FromProto(const pb::RotateSecretRequest& request);
absl::StatusOr<DeliveryFilter> FromProto(const pb::ListDeliveriesRequest& request);
// INVALID_ARGUMENT, reason FILTER_REQUIRED, without any filter.
absl::StatusOr<DeliveryFilter> FromProto(const pb::RedeliverRangeRequest& request);

// Without its secret.
pb::Subscription ToProto(const Subscription& subscription);
pb::Subscription ToProtoWithSecret(const Subscription& subscription);
pb::AuditRecord ToProto(const AuditRecord& record);
pb::Delivery ToProto(const LoggedDelivery& delivery);

}  // namespace bv::webhook
