// Deliveries and their attempts in PostgreSQL. Every function runs inside the `work` of a session's
// transaction or, where it says so, of a read, and throws what libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/webhook-dispatcher/domain/delivery.h"

namespace bv::webhook {

struct NewDelivery {
  TenantId tenant;
  DeliveryId id;
  SubscriptionId subscription;
  std::string event_id;
  std::string event_type;
  // The event's; empty for one that belongs to no store.
  std::string store = {};
  std::string body;
  // Empty for one that repeats none.
  std::string redelivery_of = {};
  // As SampledTraceparent gives it.
  std::string traceparent = {};
  DeliveryStatus status = DeliveryStatus::kDeferred;
};

// Empty for a trace that is not sampled: then nobody looks at it again.
std::string SampledTraceparent(const TraceContext& trace);

// A delivery of the batch as it stands now.
struct MadeDelivery {
  TenantId tenant;
  DeliveryId id;
  SubscriptionId subscription;
  DeliveryStatus status = DeliveryStatus::kQueued;
  int attempts_made = 0;
};

// Inserts those that are not there yet, numbered in their order, and answers how all of them stand, in no
// order. One that would be kQueued is kDeferred when others of its subscription are: they come first, and the
// queue holds few of one subscription. Locks the rows of webhook_endpoint in the order of their keys.
std::vector<MadeDelivery> MakeDeliveries(postgres::Session& session, std::span<const NewDelivery> deliveries);

struct DeliveryKey {
  TenantId tenant;
  DeliveryId id;

  friend bool operator==(const DeliveryKey&, const DeliveryKey&) = default;
  friend auto operator<=>(const DeliveryKey&, const DeliveryKey&) = default;
};

// Those that have not ended; also in a read.
std::vector<Delivery> FindDeliveries(postgres::Session& session, std::span<const DeliveryKey> keys);

// A subscription that has room, and how many deliveries it wants at most.
struct Room {
  TenantId tenant;
  SubscriptionId subscription;
  DeliveryOrder order = DeliveryOrder::kAny;
  int places = 0;
};
// The first deferred deliveries of each, those that are due, in the order of their sequence. Of a kFifo one
// the first one only, and none while that is not due. Also in a read.
std::vector<Delivery> DeferredDeliveries(postgres::Session& session, std::span<const Room> rooms);

struct SubscriptionKey {
  TenantId tenant;
  SubscriptionId subscription;

  friend bool operator==(const SubscriptionKey&, const SubscriptionKey&) = default;
  friend auto operator<=>(const SubscriptionKey&, const SubscriptionKey&) = default;
  template <class H>
  friend H AbslHashValue(H state, const SubscriptionKey& key) {
    return H::combine(std::move(state), key.tenant.str(), key.subscription);
  }
};
// The subscriptions of all tenants that have deferred deliveries. In a read, for EveryTenant().
std::vector<SubscriptionKey> SubscriptionsWithDeferred(postgres::Session& session);
// Queued deliveries whose message must be lost, since they have been due for `grace`; at most 1,000. In a
// read, for EveryTenant().
std::vector<DeliveryKey> OverdueDeliveries(postgres::Session& session, absl::Duration grace);

// kQueued ones become kDeferred.
void DeferDeliveries(postgres::Session& session, std::span<const DeliveryKey> keys);
// The first deferred ones of a subscription become kCanceled; answers how many they were.
int CancelDeliveriesOf(postgres::Session& session, const SubscriptionKey& key, int rows_max);

// An attempt that was made, and what becomes of the delivery.
struct Attempt {
  DeliveryKey key;
  // From 1.
  int number = 0;
  absl::Time at;
  absl::Duration latency;
  int status = 0;
  std::string error_class;
  std::string detail;
  std::string answer;
  DeliveryStatus next = DeliveryStatus::kDelivered;
  // Until the next attempt; of kQueued and kDeferred.
  absl::Duration pause = absl::ZeroDuration();
};
// One that is stored already stays as it is.
void StoreAttempts(postgres::Session& session, std::span<const Attempt> attempts);
// When the first attempt was made, of those that have not ended; others can end none of them until the
// transaction does.
std::map<DeliveryKey, absl::Time> FirstAttempts(postgres::Session& session,
                                                std::span<const DeliveryKey> keys);

// Since when all attempts at a subscription have failed; absent when the last one succeeded or none was made.
std::optional<absl::Time> FailingSince(postgres::Session& session, const SubscriptionKey& key);
// That the last attempts at some failed, from now() on unless it is noted already, and at others did not.
void NoteHealth(postgres::Session& session, std::span<const SubscriptionKey> failing,
                std::span<const SubscriptionKey> well);

}  // namespace bv::webhook
