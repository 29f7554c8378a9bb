#include "services/webhook-dispatcher/delivery/work_queues.h"

#include <gmock/gmock.h>

#include <set>

#include "services/webhook-dispatcher/domain/shard.h"

namespace bv::webhook {
namespace {

const SubscriptionKey kSubscription{TenantId::Trusted("acme"),
                                    SubscriptionId::Trusted("whs_01hf7yat00fytbh9k0vn3k5d6c")};
const Work kWork{kSubscription, DeliveryId::Trusted("whd_01hf7yat00fytbh9k0vn3k5d6c"), 3};

WorkQueues Queues() {
  return WorkQueues("webhooks", 8, {absl::Seconds(30), absl::Minutes(2)});
}
rabbitmq::Incoming Came(const rabbitmq::Outgoing& message) {
  return {.body = message.body, .headers = message.headers};
}

TEST(WorkQueues, AMessageSaysWhatIsToBeDone) {
  const absl::StatusOr<WorkMessage> read = WorkQueues::Read(Came(Queues().Work(kWork)));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_TRUE(read->work);
  EXPECT_EQ(read->work->subscription, kSubscription);
  EXPECT_EQ(read->work->delivery, kWork.delivery);
  EXPECT_EQ(read->work->attempt, 3);
}

TEST(WorkQueues, ALookNamesASubscriptionAndAKnockNothing) {
  const absl::StatusOr<WorkMessage> look = WorkQueues::Read(Came(Queues().Look(kSubscription)));
  ASSERT_TRUE(look.ok());
  EXPECT_EQ(look->subscription, kSubscription);
  EXPECT_FALSE(look->work);
  const absl::StatusOr<WorkMessage> knock = WorkQueues::Read(Came(Queues().Knock(5)));
  ASSERT_TRUE(knock.ok());
  EXPECT_FALSE(knock->subscription);
}

TEST(WorkQueues, WhatIsNoneOfTheseIsRefused) {
  EXPECT_FALSE(WorkQueues::Read({.body = "hello"}).ok());
  rabbitmq::Incoming without_attempt = Came(Queues().Work(kWork));
  without_attempt.headers.clear();
  EXPECT_FALSE(WorkQueues::Read(without_attempt).ok());
}

TEST(WorkQueues, ComesBackFromADelayToTheQueueOfItsShard) {
  const WorkQueues queues = Queues();
  const rabbitmq::Outgoing later = queues.Later(kWork, 1);
  EXPECT_EQ(later.exchange, "webhooks.wait.120000");
  EXPECT_EQ(later.routing_key, queues.Work(kWork).routing_key);
  EXPECT_EQ(later.routing_key, std::to_string(ShardOf(kSubscription.subscription, 8)));
  EXPECT_EQ(queues.topology().queues.size(), 10u);
  for (const rabbitmq::Queue& queue : queues.topology().queues) {
    EXPECT_EQ(queue.single_active_consumer, !queue.message_ttl.has_value()) << queue.name;
    EXPECT_EQ(queue.dead_letters, queue.message_ttl ? "webhooks.work" : "") << queue.name;
  }
}

TEST(WorkQueues, AQueueKnowsItsShard) {
  const std::vector<std::string> names = Queues().WorkQueueNames();
  ASSERT_EQ(names.size(), 8u);
  EXPECT_EQ(names[7], "webhooks.work.7");
  EXPECT_EQ(Queues().ShardOfQueue(names[7]), 7);
}

TEST(Shards, AreTheSameInEveryProcessAndAllUsed) {
  EXPECT_EQ(ShardOf(kSubscription.subscription, 8), ShardOf(kSubscription.subscription, 8));
  std::set<int> used;
  for (int i = 0; i < 200; ++i) used.insert(ShardOf(SubscriptionId::New(), 8));
  EXPECT_EQ(used.size(), 8u);
}

}  // namespace
}  // namespace bv::webhook
