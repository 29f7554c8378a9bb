#include "services/webhook-dispatcher/domain/subscription.h"

#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/webhook-dispatcher/domain/event_pattern.h"

namespace bv::webhook {
namespace {

constexpr std::size_t kDescriptionMax = 500;
constexpr std::size_t kStoresMax = 20;
constexpr std::string_view kEveryStore = "*";
constexpr absl::Duration kOverlapMax = absl::Hours(24 * 7);

template <class T, std::size_t size>
using Words = std::pair<T, std::string_view>[size];

constexpr Words<SubscriptionStatus, 3> kStatuses = {{SubscriptionStatus::kActive, "ACTIVE"},
                                                    {SubscriptionStatus::kPaused, "PAUSED"},
                                                    {SubscriptionStatus::kDisabled, "DISABLED"}};
constexpr Words<DeliveryOrder, 2> kOrders = {{DeliveryOrder::kAny, "ANY"}, {DeliveryOrder::kFifo, "FIFO"}};
constexpr Words<DisabledReason, 2> kReasons = {{DisabledReason::kGone, "GONE"},
                                               {DisabledReason::kFailing, "FAILING"}};

template <class Table, class T>
std::string_view WordIn(const Table& table, T value) {
  for (const auto& [known, word] : table) {
    if (known == value) return word;
  }
  return {};
}

template <class Table>
auto ValueIn(const Table& table, std::string_view word) {
  for (const auto& [value, known] : table) {
    if (known == word) return value;
  }
  return table[0].first;
}

}  // namespace

std::string_view Word(SubscriptionStatus status) {
  return WordIn(kStatuses, status);
}
std::string_view Word(DeliveryOrder order) {
  return WordIn(kOrders, order);
}
std::string_view Word(DisabledReason reason) {
  return WordIn(kReasons, reason);
}
SubscriptionStatus StatusOf(std::string_view word) {
  return ValueIn(kStatuses, word);
}
DeliveryOrder OrderOf(std::string_view word) {
  return ValueIn(kOrders, word);
}
DisabledReason ReasonOf(std::string_view word) {
  return ValueIn(kReasons, word);
}

bool Subscription::Wants(std::string_view event_type, std::string_view store) const {
  if (!stores.empty() && std::ranges::find(stores, store, &StoreCode::str) == stores.end()) return false;
  return std::ranges::any_of(
      event_types, [event_type](const std::string& pattern) { return Matches(pattern, event_type); });
}

std::vector<Secret> Subscription::SecretsAt(absl::Time now) const {
  std::vector<Secret> valid{secret};
  if (!previous_secret.empty() && now < previous_secret_until) valid.push_back(previous_secret);
  return valid;
}

absl::StatusOr<std::vector<StoreCode>> ParseStores(const std::vector<std::string>& codes,
                                                   std::string_view field) {
  std::vector<StoreCode> stores;
  if (codes.size() == 1 && codes[0] == kEveryStore) return stores;
  if (codes.size() > kStoresMax)
    return InvalidValue(field, Concat("must be at most ", kStoresMax, " stores"));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::string name = Concat(field, "[", i, "]");
    ASSIGN_OR_RETURN(StoreCode store, StoreCode::Parse(codes[i], name));
    if (std::ranges::find(stores, store) != stores.end()) return InvalidValue(name, "is there already");
    stores.push_back(std::move(store));
  }
  return stores;
}

std::string StoreWords(const std::vector<StoreCode>& stores) {
  if (stores.empty()) return "all";
  return absl::StrJoin(stores, ", ",
                       [](std::string* out, const StoreCode& store) { out->append(store.str()); });
}

absl::Status CheckDescription(std::string_view description) {
  return CheckText(description, 0, kDescriptionMax, "description");
}

absl::Status CheckOverlap(absl::Duration overlap) {
  if (overlap >= absl::ZeroDuration() && overlap <= kOverlapMax) return absl::OkStatus();
  return InvalidValue("overlapSeconds", Concat("must be 0 to ", absl::ToInt64Seconds(kOverlapMax)));
}

std::string Update(Subscription& subscription, const SubscriptionChange& change) {
  std::vector<std::string> changed;
  if (change.url && *change.url != subscription.url) {
    subscription.url = *change.url;
    changed.push_back("URL");
  }
  if (!change.event_types.empty() && change.event_types != subscription.event_types) {
    subscription.event_types = change.event_types;
    changed.push_back(Concat("event types: ", absl::StrJoin(change.event_types, ", ")));
  }
  if (change.stores && *change.stores != subscription.stores) {
    subscription.stores = *change.stores;
    changed.push_back(Concat("stores: ", StoreWords(subscription.stores)));
  }
  if (change.description && *change.description != subscription.description) {
    subscription.description = *change.description;
    changed.push_back("description");
  }
  return absl::StrJoin(changed, "; ");
}

std::string Pause(Subscription& subscription) {
  if (subscription.status != SubscriptionStatus::kActive) return {};
  subscription.status = SubscriptionStatus::kPaused;
  return "paused";
}

std::string Resume(Subscription& subscription) {
  if (subscription.status == SubscriptionStatus::kActive) return {};
  std::string changed = Concat("was ", Word(subscription.status));
  if (subscription.disabled_reason) changed += Concat(", ", Word(*subscription.disabled_reason));
  subscription.status = SubscriptionStatus::kActive;
  subscription.disabled_reason.reset();
  return changed;
}

std::string Disable(Subscription& subscription, DisabledReason reason) {
  if (subscription.status == SubscriptionStatus::kDisabled) return {};
  subscription.status = SubscriptionStatus::kDisabled;
  subscription.disabled_reason = reason;
  return reason == DisabledReason::kGone ? "the receiver answered 410, Gone"
                                         : "every attempt has failed for days";
}

std::string Rotate(Subscription& subscription, Secret secret, absl::Duration overlap, absl::Time now) {
  subscription.previous_secret = std::exchange(subscription.secret, std::move(secret));
  subscription.previous_secret_until = now + overlap;
  if (overlap > absl::ZeroDuration())
    return Concat("the secret before it signs for ", absl::ToInt64Seconds(overlap), " s more");
  subscription.previous_secret = {};
  subscription.previous_secret_until = absl::InfinitePast();
  return "the secret before it signs no more";
}

}  // namespace bv::webhook
