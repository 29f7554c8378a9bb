#include "services/webhook-dispatcher/delivery/work_queues.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/webhook-dispatcher/domain/shard.h"

namespace bv::webhook {
namespace {

constexpr char kAttemptHeader[] = "attempt";

std::string BodyOf(const SubscriptionKey& subscription, std::string_view delivery) {
  return Concat(subscription.tenant.str(), " ", subscription.subscription.str(), " ", delivery);
}

}  // namespace

WorkQueues::WorkQueues(std::string prefix, int shards, std::vector<absl::Duration> delays)
    : prefix_(std::move(prefix)), shards_(shards), delays_(std::move(delays)) {
  const std::string work = prefix_ + ".work";
  topology_.exchanges.push_back({work, rabbitmq::Exchange::Kind::kDirect});
  for (int shard = 0; shard < shards_; ++shard) {
    topology_.queues.push_back({.name = ShardName(shard), .single_active_consumer = true});
    topology_.bindings.push_back({work, std::to_string(shard), ShardName(shard)});
  }
  // An exchange for each, since the routing key is the shard's, by which messages come back.
  for (const absl::Duration delay : delays_) {
    const std::string name = WaitName(delay);
    topology_.exchanges.push_back({name, rabbitmq::Exchange::Kind::kFanout});
    topology_.queues.push_back({.name = name, .message_ttl = delay, .dead_letters = work});
    topology_.bindings.push_back({name, "", name});
  }
}

std::string WorkQueues::ShardName(int shard) const {
  return Concat(prefix_, ".work.", shard);
}

// The delay is in the name: after it was changed, the queue of the one before runs empty.
std::string WorkQueues::WaitName(absl::Duration delay) const {
  return Concat(prefix_, ".wait.", absl::ToInt64Milliseconds(delay));
}

std::vector<std::string> WorkQueues::WorkQueueNames() const {
  std::vector<std::string> names;
  for (int shard = 0; shard < shards_; ++shard) names.push_back(ShardName(shard));
  return names;
}

int WorkQueues::ShardOfQueue(std::string_view name) const {
  int shard = -1;
  const std::size_t dot = name.rfind('.');
  return dot != name.npos && absl::SimpleAtoi(Absl(name.substr(dot + 1)), &shard) ? shard : -1;
}

rabbitmq::Outgoing WorkQueues::Work(const webhook::Work& work) const {
  return {.exchange = prefix_ + ".work",
          .routing_key = std::to_string(ShardOf(work.subscription.subscription, shards_)),
          .body = BodyOf(work.subscription, work.delivery.str()),
          .headers = {{kAttemptHeader, std::to_string(work.attempt)}}};
}

rabbitmq::Outgoing WorkQueues::Later(const webhook::Work& work, int tier) const {
  rabbitmq::Outgoing message = Work(work);
  message.exchange = WaitName(delays_[static_cast<std::size_t>(tier)]);
  return message;
}

rabbitmq::Outgoing WorkQueues::Look(const SubscriptionKey& subscription) const {
  return {.exchange = prefix_ + ".work",
          .routing_key = std::to_string(ShardOf(subscription.subscription, shards_)),
          .body = BodyOf(subscription, "")};
}

rabbitmq::Outgoing WorkQueues::Knock(int shard) const {
  return {.exchange = prefix_ + ".work", .routing_key = std::to_string(shard), .body = "  "};
}

absl::StatusOr<WorkMessage> WorkQueues::Read(const rabbitmq::Incoming& message) {
  const std::vector<std::string> parts = absl::StrSplit(message.body, ' ');
  if (parts.size() != 3) return InvalidValue("body", "must be tenant, subscription and delivery");
  WorkMessage read;
  if (parts[0].empty()) return read;
  read.subscription = SubscriptionKey{TenantId::Trusted(parts[0]), SubscriptionId::Trusted(parts[1])};
  if (parts[2].empty()) return read;
  const auto header = message.headers.find(kAttemptHeader);
  int attempt = 0;
  if (header == message.headers.end() || !absl::SimpleAtoi(header->second, &attempt) || attempt < 1)
    return InvalidValue(kAttemptHeader, "must be a number from 1 on");
  read.work = webhook::Work{*read.subscription, DeliveryId::Trusted(parts[2]), attempt};
  return read;
}

}  // namespace bv::webhook
