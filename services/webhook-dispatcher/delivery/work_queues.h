// The queues of RabbitMQ through which deliveries go, and the messages in them.
//
//   webhooks.work.<shard>   what is to be looked at now; of all replicas one consumes it
//   webhooks.wait.<delay>   what is to be tried again after the delay; from there it goes back to the queue
//   of
//                           its shard
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "libs/rabbitmq/consumer.h"
#include "libs/rabbitmq/publisher.h"
#include "libs/rabbitmq/topology.h"
#include "services/webhook-dispatcher/domain/delivery.h"
#include "services/webhook-dispatcher/store/deliveries.h"

namespace bv::webhook {

// Leads to an attempt. It has no body: PostgreSQL has.
struct Work {
  SubscriptionKey subscription;
  DeliveryId delivery;
  // The attempt's number, from 1.
  int attempt = 1;
};

// What a message says: an attempt is due, or a subscription has deferred deliveries (no work), or nothing but
// that who gets it consumes the shard (no subscription either).
struct WorkMessage {
  std::optional<SubscriptionKey> subscription;
  std::optional<Work> work;
};

class WorkQueues {
 public:
  // `prefix` stands before all names: "webhooks", but for tests that need queues of their own.
  WorkQueues(std::string prefix, int shards, std::vector<absl::Duration> delays);

  int shards() const { return shards_; }
  const rabbitmq::Topology& topology() const { return topology_; }
  std::vector<std::string> WorkQueueNames() const;
  // Of a name among them.
  int ShardOfQueue(std::string_view name) const;

  rabbitmq::Outgoing Work(const webhook::Work& work) const;
  // The same after one of the delays, counted from 0.
  rabbitmq::Outgoing Later(const webhook::Work& work, int tier) const;
  rabbitmq::Outgoing Look(const SubscriptionKey& subscription) const;
  rabbitmq::Outgoing Knock(int shard) const;

  // INVALID_ARGUMENT for a message that is none of these.
  static absl::StatusOr<WorkMessage> Read(const rabbitmq::Incoming& message);

 private:
  std::string ShardName(int shard) const;
  std::string WaitName(absl::Duration delay) const;

  const std::string prefix_;
  const int shards_;
  const std::vector<absl::Duration> delays_;
  rabbitmq::Topology topology_;
};

}  // namespace bv::webhook
