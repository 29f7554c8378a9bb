// How much of its tables the dispatcher reads for a delivery while a neighbour has many that wait, with
// statements that were planned on tables without rows, which is when a scan looks as good to the planner as a
// look-up.
#include <gtest/gtest.h>

#include "libs/base/strings.h"
#include "libs/testing/testing.h"
#include "services/webhook-dispatcher/store/deliveries.h"

namespace bv::webhook {
namespace {

const TenantId kTenant = TenantId::Trusted("shop");
const SubscriptionId kSubscription = SubscriptionId::Trusted("whs_mine");
const SubscriptionId kNeighbour = SubscriptionId::Trusted("whs_neighbour");

constexpr int kDeliveries = 200;
constexpr int kWaiting = 5'000;
constexpr int kBatch = 500;
// The rows that a delivery may read of a table, from its event to its end.
constexpr int kRowsMax = 12;
// And blocks of an index, its own entry included.
constexpr int kIndexBlocksMax = 12;

NewDelivery Of(const SubscriptionId& subscription, int i, DeliveryStatus status) {
  return {.tenant = kTenant,
          .id = DeliveryId::Trusted(Concat("whd_", subscription.str(), i)),
          .subscription = subscription,
          .event_id = Concat("event-", i),
          .event_type = "t",
          .body = "{}",
          .status = status};
}

std::vector<MadeDelivery> Make(postgres::Session& session, const std::vector<NewDelivery>& deliveries) {
  std::vector<MadeDelivery> made;
  const absl::Status status = session.Transact({kTenant}, [&](postgres::Session& s) {
    made = MakeDeliveries(s, deliveries);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return made;
}

// One delivery's way: made, found, deferred and taken up, attempted, and what the driver asks meanwhile.
void Deliver(postgres::Session& session, int i) {
  const NewDelivery delivery = Of(kSubscription, i, DeliveryStatus::kQueued);
  const DeliveryKey key{kTenant, delivery.id};
  const std::vector<MadeDelivery> made = Make(session, {delivery});
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].status, DeliveryStatus::kQueued);
  absl::Status status = session.Transact({kTenant}, [&](postgres::Session&) {
    EXPECT_EQ(FindDeliveries(session, {&key, 1}).size(), 1U);
    DeferDeliveries(session, {&key, 1});
    EXPECT_EQ(
        DeferredDeliveries(session, std::vector{Room{kTenant, kSubscription, DeliveryOrder::kAny, 1}}).size(),
        1U);
    FirstAttempts(session, {&key, 1});
    StoreAttempts(session, std::vector{Attempt{.key = key, .number = 1, .at = absl::Now(), .status = 200}});
    return absl::OkStatus();
  });
  ASSERT_TRUE(status.ok()) << status;
  status = session.Read({postgres::EveryTenant()}, [](postgres::Session& read) {
    SubscriptionsWithDeferred(read);
    OverdueDeliveries(read, absl::Minutes(5));
    return absl::OkStatus();
  });
  ASSERT_TRUE(status.ok()) << status;
}

TEST(PlansTest, WhatADeliveryReadsDoesNotGrowWithWhatWaits) {
  const testing::Database database("webhook-dispatcher");
  {
    // As the driver and the intake have it.
    postgres::Session session(database.Connection(), postgres::Plans::kIndexOnly);
    // Every statement is planned and run before there are many.
    Deliver(session, 0);
    for (int first = 0; first < kWaiting; first += kBatch) {
      std::vector<NewDelivery> batch;
      for (int i = first; i < first + kBatch; ++i)
        batch.push_back(Of(kNeighbour, i, DeliveryStatus::kDeferred));
      ASSERT_EQ(Make(session, batch).size(), static_cast<std::size_t>(kBatch));
    }
    for (int i = 1; i <= kDeliveries; ++i) Deliver(session, i);
  }
  EXPECT_EQ(database.TablesReadTooMuch("webhook", (kDeliveries + kWaiting) * kRowsMax), "");
  // An entry of an index that is passed over counts as no row.
  EXPECT_EQ(database.Query(Concat("SELECT string_agg(indexrelname, ' ') FROM pg_statio_user_indexes WHERE "
                                  "schemaname = 'webhook' AND idx_blks_hit + idx_blks_read > ",
                                  (kDeliveries + kWaiting) * kIndexBlocksMax)),
            "");
}

}  // namespace
}  // namespace bv::webhook
