#include "services/webhook-dispatcher/delivery/driver.h"

#include <algorithm>
#include <utility>

#include "libs/base/clock.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"
#include "services/webhook-dispatcher/domain/shard.h"

namespace bv::webhook {
namespace {

// Between two messages into shards that others may drive, by which we hear when they do not any more.
constexpr absl::Duration kKnockInterval = absl::Seconds(2);
constexpr absl::Duration kPublishPatience = absl::Seconds(5);
constexpr absl::Duration kStopPatience = absl::Seconds(20);
// Of a shard's queue, that are handed over and not acknowledged.
constexpr int kPrefetch = 256;

}  // namespace

Driver::Driver(const DriverSettings& settings, const postgres::ConnectionSettings& connection,
               const rabbitmq::Settings& rabbitmq, const WorkQueues& queues, const SubscriptionBook& book,
               egress::Client& egress, boost::asio::io_context& io)
    : settings_(settings),
      schedule_(settings.delays),
      queues_(queues),
      book_(book),
      egress_(egress),
      io_(io),
      session_(connection, postgres::Plans::kIndexOnly),
      publisher_(rabbitmq, queues.topology(), "driver"),
      backlog_share_(settings.backlog_share) {
  rabbitmq::Consumer::Handlers handlers{
      .on_messages = [inbox = inbox_](
                         std::vector<rabbitmq::Incoming> messages) { inbox->Messages(std::move(messages)); },
      .on_connected = [inbox = inbox_](std::uint64_t number) { inbox->Connected(number); },
      .on_lost = [inbox = inbox_](std::uint64_t number) { inbox->Lost(number); }};
  consumer_ =
      std::make_unique<rabbitmq::Consumer>(rabbitmq,
                                           rabbitmq::Consumer::Options{.client = "driver",
                                                                       .queues = queues.WorkQueueNames(),
                                                                       .prefetch = kPrefetch,
                                                                       .topology = queues.topology()},
                                           std::move(handlers));
}

void Driver::Start() {
  thread_ = std::thread([this] { Run(); });
  consumer_->Start();
}

void Driver::Stop() {
  stopping_ = true;
  inbox_->Wake();
  if (thread_.joinable()) thread_.join();
  // Sends the last acknowledgements.
  consumer_->Stop();
}

void Driver::Run() {
  absl::Time stop_until = absl::InfiniteFuture();
  while (true) {
    const absl::Time next = awaits_share_ ? std::min(next_look_, backlog_share_.next_at()) : next_look_;
    const absl::Duration patience =
        std::clamp(next - MonotonicNow(), absl::ZeroDuration(), settings_.look_interval);
    Inbox::Contents contents = inbox_->Take(patience);
    if (stopping_) stop_until = std::min(stop_until, MonotonicNow() + kStopPatience);
    TakeNews(contents);
    Finish(std::move(contents.ended));
    if (stopping_) {
      if (flights_.empty() || MonotonicNow() >= stop_until) return;
      continue;
    }
    Admit(contents.messages);
    if (MonotonicNow() >= next_look_) {
      Look();
      next_look_ = MonotonicNow() + settings_.look_interval;
    }
    Feed();
    metrics_.in_flight.Set(static_cast<double>(flights_.size()));
  }
}

void Driver::TakeNews(const Inbox::Contents& contents) {
  for (const std::uint64_t lost : contents.lost) {
    if (lost == connection_) shards_.clear();
  }
  for (const std::uint64_t connected : contents.connected) {
    connection_ = connected;
    shards_.clear();
    next_knock_ = absl::InfinitePast();
  }
  if (connection_ != 0 && MonotonicNow() >= next_knock_) Knock();
}

// Whoever consumes a shard gets the knock, and so knows that it does, also when nothing else is in the queue.
void Driver::Knock() {
  next_knock_ = MonotonicNow() + kKnockInterval;
  std::vector<rabbitmq::Outgoing> knocks;
  for (int shard = 0; shard < queues_.shards(); ++shard) {
    if (!shards_.contains(shard)) knocks.push_back(queues_.Knock(shard));
  }
  if (const absl::Status status = publisher_.Publish(knocks, MonotonicNow() + kPublishPatience); !status.ok())
    telemetry::LogLimited(telemetry::Level::kWarn, "shards were not asked for", {{"error", status}});
}

bool Driver::IsOurs(const SubscriptionKey& key) const {
  return shards_.contains(ShardOf(key.subscription, queues_.shards()));
}

Endpoint& Driver::EndpointOf(const SubscriptionKey& key) {
  return endpoints_.try_emplace(key, settings_.endpoint).first->second;
}

bool Driver::Commit(const std::vector<TenantId>& tenants,
                    const std::function<absl::Status(postgres::Session&)>& work) {
  resilience::Backoff backoff({.min = absl::Milliseconds(20), .max = absl::Seconds(2)});
  while (true) {
    const absl::Status status = session_.Transact(tenants, work);
    if (status.ok()) return true;
    telemetry::LogLimited(telemetry::Level::kWarn, "deliveries are not stored and are tried again",
                          {{"error", status}});
    // Of messages nothing is acknowledged, and what is deferred stays deferred: nothing is lost.
    if (stopping_) return false;
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(*backoff.Next()));
  }
}

bool Driver::Defer(std::span<const DeliveryKey> keys) {
  if (keys.empty()) return true;
  std::vector<TenantId> tenants;
  for (const DeliveryKey& key : keys) tenants.push_back(key.tenant);
  std::ranges::sort(tenants);
  tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
  return Commit(tenants, [&](postgres::Session& session) {
    DeferDeliveries(session, keys);
    return absl::OkStatus();
  });
}

}  // namespace bv::webhook
