// Deferred deliveries become attempts.
#include <algorithm>
#include <utility>

#include "libs/base/clock.h"
#include "libs/telemetry/telemetry.h"
#include "services/webhook-dispatcher/delivery/driver.h"
#include "services/webhook-dispatcher/store/subscription_rows.h"

namespace bv::webhook {
namespace {

// A message that leads to an attempt that takes longer is acknowledged, its delivery deferred: so receivers
// that hang do not use up what a queue hands over.
constexpr absl::Duration kSlow = absl::Seconds(1);
constexpr absl::Duration kOverdueInterval = absl::Seconds(30);
// Subscriptions of one statement.
constexpr std::size_t kRoomsMax = 256;
constexpr int kCancelMax = 1000;
// Deliveries that wait and are begun at once while they share: few, so that a new one soon gets its turn.
constexpr int kSharedRoomMax = 8;

}  // namespace

void Driver::Look() {
  DeferSlow();
  if (MonotonicNow() >= next_overdue_) {
    DeferOverdue();
    next_overdue_ = MonotonicNow() + kOverdueInterval;
  }
  int deferred = 0, open = 0;
  if (!shards_.empty()) {
    std::vector<SubscriptionKey> keys;
    const absl::Status status = session_.Read({postgres::EveryTenant()}, [&](postgres::Session& session) {
      keys = SubscriptionsWithDeferred(session);
      return absl::OkStatus();
    });
    if (!status.ok())
      telemetry::LogLimited(telemetry::Level::kWarn, "deferred deliveries are not known",
                            {{"error", status}});
    for (const SubscriptionKey& key : keys) {
      if (!IsOurs(key)) continue;
      EndpointOf(key).has_deferred = true;
      ++deferred;
    }
  }
  for (const auto& [key, endpoint] : endpoints_) open += endpoint.is_open() ? 1 : 0;
  metrics_.shards.Set(static_cast<double>(shards_.size()));
  metrics_.subscriptions_deferred.Set(deferred);
  metrics_.breakers_open.Set(open);
}

void Driver::Feed() {
  const absl::Time begin = MonotonicNow();
  int places = settings_.in_flight_max - static_cast<int>(flights_.size());
  int shared_places = begin >= backlog_share_.next_at() ? kSharedRoomMax : 0;
  awaits_share_ = false;
  std::vector<Room> rooms;
  std::vector<std::shared_ptr<const Subscription>> subscriptions;
  std::vector<SubscriptionKey> deleted;
  for (auto& [key, endpoint] : endpoints_) {
    if (rooms.size() == kRoomsMax || places <= 0) break;
    if (!endpoint.has_deferred || !IsOurs(key)) continue;
    std::shared_ptr<const Subscription> subscription = book_.Find(key.tenant, key.subscription);
    if (!subscription || subscription->status != SubscriptionStatus::kActive) {
      // Look sees it again, for as long as there is anything.
      endpoint.has_deferred = false;
      if (!subscription && book_.fresh()) deleted.push_back(key);
      continue;
    }
    int room = std::min(endpoint.Room(subscription->order, Endpoint::Clock::now()), places);
    if (room == 0) continue;
    if (subscription->order == DeliveryOrder::kAny && backlog_share_.IsShared(key.tenant, begin)) {
      awaits_share_ = true;
      room = std::min(room, shared_places);
      shared_places -= room;
      if (room == 0) continue;
    }
    places -= room;
    // Those that run already stand in front of the others.
    rooms.push_back({key.tenant, key.subscription, subscription->order, room + endpoint.in_flight()});
    subscriptions.push_back(std::move(subscription));
  }
  for (const SubscriptionKey& key : deleted) Cancel(key);
  if (rooms.empty()) return;
  FeedRooms(rooms, subscriptions);
  const absl::Time end = MonotonicNow();
  backlog_share_.HasSpent(end - begin, end);
}

void Driver::FeedRooms(std::span<const Room> rooms,
                       std::span<const std::shared_ptr<const Subscription>> subscriptions) {
  std::vector<TenantId> tenants;
  for (const Room& room : rooms) tenants.push_back(room.tenant);
  std::ranges::sort(tenants);
  tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
  std::vector<Delivery> found;
  const absl::Status status = session_.Read(tenants, [&](postgres::Session& session) {
    found = DeferredDeliveries(session, rooms);
    return absl::OkStatus();
  });
  if (!status.ok()) {
    telemetry::LogLimited(telemetry::Level::kWarn, "deferred deliveries cannot be read", {{"error", status}});
    // Tried again at the next look.
    for (const Room& room : rooms) EndpointOf({room.tenant, room.subscription}).has_deferred = false;
    return;
  }
  absl::flat_hash_map<SubscriptionKey, std::vector<Delivery>> by_subscription;
  for (Delivery& delivery : found) {
    SubscriptionKey key{delivery.tenant, delivery.subscription};
    by_subscription[std::move(key)].push_back(std::move(delivery));
  }
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    std::vector<Delivery>& deliveries = by_subscription[{rooms[i].tenant, rooms[i].subscription}];
    Endpoint& endpoint = EndpointOf({rooms[i].tenant, rooms[i].subscription});
    const bool is_fifo = rooms[i].order == DeliveryOrder::kFifo;
    // Of a FIFO one there may be more behind the first.
    endpoint.has_deferred =
        !deliveries.empty() && (is_fifo || static_cast<int>(deliveries.size()) >= rooms[i].places);
    for (Delivery& delivery : deliveries) {
      if (flights_.contains({delivery.tenant, delivery.id})) continue;
      if (endpoint.Room(rooms[i].order, Endpoint::Clock::now()) == 0) break;
      if (!Begin(std::move(delivery), subscriptions[i], {})) break;
    }
  }
}

void Driver::DeferSlow() {
  std::vector<DeliveryKey> slow;
  const absl::Time before = MonotonicNow() - kSlow;
  for (const auto& [key, flight] : flights_) {
    if (!flight.tags.empty() && flight.began_monotonic < before) slow.push_back(key);
  }
  if (slow.empty() || !Defer(slow)) return;
  for (const DeliveryKey& key : slow) consumer_->Ack(std::exchange(flights_.at(key).tags, {}));
}

void Driver::DeferOverdue() {
  std::vector<DeliveryKey> overdue;
  const absl::Status status = session_.Read({postgres::EveryTenant()}, [&](postgres::Session& session) {
    overdue = OverdueDeliveries(session, settings_.overdue_after);
    return absl::OkStatus();
  });
  if (!status.ok())
    telemetry::LogLimited(telemetry::Level::kWarn, "overdue deliveries are not known", {{"error", status}});
  std::erase_if(overdue, [this](const DeliveryKey& key) { return flights_.contains(key); });
  Defer(overdue);
}

void Driver::Cancel(const SubscriptionKey& key) {
  int canceled = 0;
  const bool is_stored = Commit({key.tenant}, [&](postgres::Session& session) {
    // The book may not have heard yet of one that was made a moment ago.
    if (ReadSubscription(session, key.tenant, key.subscription)) return absl::OkStatus();
    canceled = CancelDeliveriesOf(session, key, kCancelMax);
    return absl::OkStatus();
  });
  if (is_stored) metrics_.canceled.Increment(canceled);
}

}  // namespace bv::webhook
