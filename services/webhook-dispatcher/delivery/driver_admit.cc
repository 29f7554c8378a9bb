// Messages become attempts, or deferred deliveries.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/crash_point.h"
#include "libs/telemetry/telemetry.h"
#include "services/webhook-dispatcher/delivery/driver.h"

namespace bv::webhook {

void Driver::Admit(const std::vector<rabbitmq::Incoming>& messages) {
  std::vector<rabbitmq::Tag> settled, deferred_tags;
  std::vector<DeliveryKey> deferred;
  std::vector<Candidate> candidates;
  absl::flat_hash_map<SubscriptionKey, int> planned;
  for (const rabbitmq::Incoming& message : messages) {
    // It comes again.
    if (message.tag.connection != connection_) continue;
    shards_.insert(queues_.ShardOfQueue(message.queue));
    const absl::StatusOr<WorkMessage> read = WorkQueues::Read(message);
    if (!read.ok()) {
      telemetry::LogLimited(telemetry::Level::kError, "a message of RabbitMQ is none of ours and is dropped",
                            {{"error", read.status()}});
    } else if (read->subscription && !read->work) {
      EndpointOf(*read->subscription).has_deferred = true;
    }
    if (!read.ok() || !read->work) {
      settled.push_back(message.tag);
      continue;
    }
    const DeliveryKey key{read->subscription->tenant, read->work->delivery};
    if (const auto flight = flights_.find(key); flight != flights_.end()) {
      flight->second.tags.push_back(message.tag);
      continue;
    }
    int& of_subscription = planned[*read->subscription];
    std::shared_ptr<const Subscription> subscription = MayBegin(*read->subscription, of_subscription);
    if (subscription &&
        flights_.size() + candidates.size() < static_cast<std::size_t>(settings_.in_flight_max)) {
      ++of_subscription;
      candidates.push_back({*read->work, message.tag, std::move(subscription)});
    } else {
      deferred.push_back(key);
      deferred_tags.push_back(message.tag);
      EndpointOf(*read->subscription).has_deferred = true;
    }
  }
  if (!candidates.empty()) {
    std::vector<TenantId> tenants;
    std::vector<DeliveryKey> keys;
    for (const Candidate& candidate : candidates) {
      tenants.push_back(candidate.work.subscription.tenant);
      keys.push_back({candidate.work.subscription.tenant, candidate.work.delivery});
    }
    std::ranges::sort(tenants);
    tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
    std::vector<Delivery> found;
    const absl::Status status = session_.Read(tenants, [&](postgres::Session& session) {
      found = FindDeliveries(session, keys);
      return absl::OkStatus();
    });
    if (status.ok()) {
      BeginFound(candidates, std::move(found), settled);
    } else {
      telemetry::LogLimited(telemetry::Level::kWarn, "deliveries cannot be read and come again",
                            {{"error", status}});
      std::vector<rabbitmq::Tag> again;
      for (const Candidate& candidate : candidates) again.push_back(candidate.tag);
      consumer_->Requeue(again);
    }
  }
  if (Defer(deferred)) {
    settled.insert(settled.end(), deferred_tags.begin(), deferred_tags.end());
    metrics_.deferred.Increment(static_cast<double>(deferred.size()));
  }
  CrashPoint("webhook-dispatcher.admit.deferred");
  consumer_->Ack(settled);
}

// Null for one that is to get nothing now. What was deleted is deferred, too: Feed cancels it.
std::shared_ptr<const Subscription> Driver::MayBegin(const SubscriptionKey& key, int planned) {
  std::shared_ptr<const Subscription> subscription = book_.Find(key.tenant, key.subscription);
  if (!subscription || subscription->status != SubscriptionStatus::kActive ||
      subscription->order == DeliveryOrder::kFifo)
    return nullptr;
  const int room = EndpointOf(key).Room(subscription->order, Endpoint::Clock::now());
  return room > planned ? subscription : nullptr;
}

void Driver::BeginFound(std::span<const Candidate> candidates, std::vector<Delivery> found,
                        std::vector<rabbitmq::Tag>& settled) {
  std::map<DeliveryKey, Delivery> by_key;
  for (Delivery& delivery : found) {
    DeliveryKey key{delivery.tenant, delivery.id};
    by_key.insert_or_assign(std::move(key), std::move(delivery));
  }
  std::vector<DeliveryKey> stale;
  std::vector<rabbitmq::Tag> stale_tags;
  for (const Candidate& candidate : candidates) {
    const DeliveryKey key{candidate.work.subscription.tenant, candidate.work.delivery};
    if (const auto flight = flights_.find(key); flight != flights_.end()) {
      flight->second.tags.push_back(candidate.tag);
      continue;
    }
    const auto delivery = by_key.find(key);
    // Ended, or handed out by PostgreSQL.
    if (delivery == by_key.end() || delivery->second.status == DeliveryStatus::kDeferred) {
      settled.push_back(candidate.tag);
      continue;
    }
    // After a crash it is not known whether a message leads to the next attempt: from now on PostgreSQL does.
    const bool was_made = delivery->second.attempts_made != candidate.work.attempt - 1;
    if (was_made || !Begin(std::move(delivery->second), candidate.subscription, {candidate.tag})) {
      stale.push_back(key);
      stale_tags.push_back(candidate.tag);
    }
  }
  if (Defer(stale)) settled.insert(settled.end(), stale_tags.begin(), stale_tags.end());
}

bool Driver::Begin(Delivery delivery, std::shared_ptr<const Subscription> subscription,
                   std::vector<rabbitmq::Tag> tags) {
  Endpoint& endpoint = EndpointOf({delivery.tenant, delivery.subscription});
  endpoint.See(subscription->version);
  std::optional<Endpoint::Permit> permit = endpoint.Begin(Endpoint::Clock::now());
  if (!permit) return false;
  const absl::Time now = absl::Now();
  egress::Request request = RequestOf(delivery, *subscription, now);
  std::unique_ptr<telemetry::Span> span = BeginSpan(delivery, request);
  DeliveryKey key{delivery.tenant, delivery.id};
  const bool has_waited = tags.empty();
  if (!has_waited) backlog_share_.HasFresh(delivery.tenant, MonotonicNow());
  if (delivery.attempts_made > 0) metrics_.retries.Increment();
  flights_.emplace(key, Flight{.delivery = std::move(delivery),
                               .subscription = std::move(subscription),
                               .tags = std::move(tags),
                               .has_waited = has_waited,
                               .permit = *std::move(permit),
                               .began = now,
                               .began_monotonic = MonotonicNow(),
                               .span = std::move(span)});
  CrashPoint("webhook-dispatcher.attempt.begin");
  boost::asio::co_spawn(io_, Send(egress_, inbox_, std::move(key), std::move(request)),
                        boost::asio::detached);
  return true;
}

// May outlive the driver, when a receiver takes longer than Stop waits.
async::Task<void> Driver::Send(egress::Client& egress, std::shared_ptr<Inbox> inbox, DeliveryKey key,
                               egress::Request request) {
  // Not one expression: GCC 12 loses the key that it has moved before the wait.
  egress::Outcome outcome = co_await egress.Post(std::move(request));
  inbox->HasEnded({std::move(key), std::move(outcome)});
}

}  // namespace bv::webhook
