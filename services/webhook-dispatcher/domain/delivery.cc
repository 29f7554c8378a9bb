#include "services/webhook-dispatcher/domain/delivery.h"

#include <array>
#include <utility>

namespace bv::webhook {
namespace {

constexpr std::array<std::pair<DeliveryStatus, std::string_view>, 5> kWords = {
    {{DeliveryStatus::kQueued, "QUEUED"},
     {DeliveryStatus::kDeferred, "DEFERRED"},
     {DeliveryStatus::kDelivered, "DELIVERED"},
     {DeliveryStatus::kFailed, "FAILED"},
     {DeliveryStatus::kCanceled, "CANCELED"}}};

}  // namespace

std::string_view Word(DeliveryStatus status) {
  for (const auto& [value, word] : kWords) {
    if (value == status) return word;
  }
  return {};
}

DeliveryStatus DeliveryStatusOf(std::string_view word) {
  for (const auto& [value, text] : kWords) {
    if (text == word) return value;
  }
  return DeliveryStatus::kQueued;
}

DeliveryId DeliveryIdOf(const TenantId& tenant, const SubscriptionId& subscription,
                        std::string_view event_id) {
  return DeliveryId::DerivedFrom({tenant.str(), subscription.str(), std::string(event_id)});
}

}  // namespace bv::webhook
