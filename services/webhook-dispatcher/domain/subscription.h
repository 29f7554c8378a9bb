// A subscription: which events of a tenant go to which URL, and what may be changed of it. Pure.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/values.h"
#include "services/webhook-dispatcher/domain/secret.h"

namespace bv::webhook {

BV_DEFINE_ID(SubscriptionId, "whs");

// Of a tenant; deleted ones do not count.
constexpr int kSubscriptionsMax = 100;

enum class SubscriptionStatus { kActive, kPaused, kDisabled };
enum class DeliveryOrder { kAny, kFifo };
// Why a subscription is kDisabled: its receiver answered 410, or failed for days.
enum class DisabledReason { kGone, kFailing };

// As in rows, answers and events.
std::string_view Word(SubscriptionStatus status);
std::string_view Word(DeliveryOrder order);
std::string_view Word(DisabledReason reason);
// The inverse, for rows of the own database; the first value for a word that is none.
SubscriptionStatus StatusOf(std::string_view word);
DeliveryOrder OrderOf(std::string_view word);
DisabledReason ReasonOf(std::string_view word);

struct Subscription {
  TenantId tenant;
  SubscriptionId id;
  std::string url;
  // Patterns (event_pattern.h).
  std::vector<std::string> event_types;
  // Whose events it gets; empty for those of all stores and of none.
  std::vector<StoreCode> stores;
  std::string description;
  SubscriptionStatus status = SubscriptionStatus::kActive;
  // Of a kDisabled one.
  std::optional<DisabledReason> disabled_reason;
  DeliveryOrder order = DeliveryOrder::kAny;
  Secret secret;
  // The one before, and until when it signs too; empty when there is none.
  Secret previous_secret;
  absl::Time previous_secret_until = absl::InfinitePast();
  absl::Time created_at;
  absl::Time updated_at;
  // Grows by one with every change.
  std::int64_t version = 1;

  // Events of `store`; that is empty for those that belong to no store.
  bool Wants(std::string_view event_type, std::string_view store) const;
  // Those that sign at this time, the newest first.
  std::vector<Secret> SecretsAt(absl::Time now) const;
};

// The stores of a subscription: none for "*" alone. INVALID_ARGUMENT, as StoreCode or above 20, names the
// code.
absl::StatusOr<std::vector<StoreCode>> ParseStores(const std::vector<std::string>& codes,
                                                   std::string_view field);
// "eu, till", or "all".
std::string StoreWords(const std::vector<StoreCode>& stores);

// INVALID_ARGUMENT above 500 characters.
absl::Status CheckDescription(std::string_view description);
// INVALID_ARGUMENT unless it is 0 to 7 days.
absl::Status CheckOverlap(absl::Duration overlap);
constexpr absl::Duration kOverlapDefault = absl::Hours(24);

// What an owner wants otherwise; the rest stays.
struct SubscriptionChange {
  std::optional<std::string> url;
  // Empty: they stay.
  std::vector<std::string> event_types;
  std::optional<std::string> description;
  // Empty: all stores.
  std::optional<std::vector<StoreCode>> stores;
};

// The changes below set neither version nor time, which the store does. They return what was changed, in
// words for the audit and without secrets; empty when all is as it was.

// Names what is changed; of a URL only that, since its path may be a secret.
std::string Update(Subscription& subscription, const SubscriptionChange& change);
// Only an active one: nothing is sent of a disabled one either, and it keeps its reason.
std::string Pause(Subscription& subscription);
std::string Resume(Subscription& subscription);
std::string Disable(Subscription& subscription, DisabledReason reason);
// The secret that is there signs for `overlap` more. The one before it does not any longer: there are two at
// most.
std::string Rotate(Subscription& subscription, Secret secret, absl::Duration overlap, absl::Time now);

}  // namespace bv::webhook
