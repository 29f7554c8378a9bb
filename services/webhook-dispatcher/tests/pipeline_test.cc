// What subscribers get, and when.
#include <algorithm>
#include <set>

#include "libs/base/clock.h"
#include "libs/base/strings.h"
#include "services/webhook-dispatcher/domain/signature.h"
#include "services/webhook-dispatcher/tests/pipeline_fixture.h"

namespace bv::webhook {
namespace {

using ::testing::ElementsAre;

// With what an attempt may be late, on a machine that does other things as well.
constexpr absl::Duration kLate = absl::Milliseconds(700);

std::string PathOf(const std::string& tenant, const std::string& name) {
  return Concat("/", tenant, "/", name);
}

class Deliveries : public PipelineTest {
 protected:
  std::string Path(const std::string& name = "hook") const { return PathOf(tenant(), name); }
  // What happens in these stores only.
  Subscription SubscribeIn(const std::vector<std::string>& stores, const std::string& name) {
    Subscription subscription = Subscribe(Path(name));
    SellIn(subscription, stores);
    return subscription;
  }
  void SellIn(const Subscription& subscription, const std::vector<std::string>& stores) {
    Change(subscription, [&](Subscription& own) {
      own.stores = *ParseStores(stores, "storeCodes");
      return std::string("stores");
    });
  }
  std::string StateOf(const Subscription& subscription) const {
    return Query(
        "SELECT status FROM webhook.webhook_subscription WHERE tenant_id = $T AND subscription_id = '" +
        subscription.id.str() + "'");
  }
  void FailAlways(int status) {
    receiver().Answers(Path(), [status](int) { return Receiver::Answer{.status = status}; });
  }
  std::string AttemptWords() const {
    return Query(
        "SELECT string_agg(a.number || ' ' || a.status || ' ' || a.error_class, ', ' ORDER BY a.number) "
        "FROM webhook.webhook_delivery_attempts a WHERE tenant_id = $T");
  }
};

TEST_F(Deliveries, AnEventComesOnceSignedWithItsEnvelope) {
  const Subscription subscription = Subscribe(Path());
  Start();
  const std::vector<std::string> ids = Happen(1);
  WaitForDeliveries(1, "DELIVERED");
  const std::vector<Receiver::Seen> seen = receiver().At(Path());
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_THAT(seen[0].body, ::testing::HasSubstr(ids[0]));
  const std::string id = Query("SELECT delivery_id FROM webhook.webhook_delivery WHERE tenant_id = $T");
  EXPECT_EQ(seen[0].headers.at("webhook-id"), id);
  EXPECT_EQ(seen[0].headers.at("X-BV-Attempt"), "1");
  EXPECT_EQ(seen[0].headers.at("X-BV-Event-Type"), "ecommerce.order.order.created.v1");
  const absl::Time at = absl::FromUnixSeconds(std::stoll(seen[0].headers.at("webhook-timestamp")));
  for (const auto& [name, value] : SignedHeaders(id, seen[0].body, subscription.SecretsAt(at), at))
    EXPECT_EQ(seen[0].headers.at(name), value) << name;
  EXPECT_EQ(AttemptWords(), "1 200 ");
}

TEST_F(Deliveries, AnotherTenantsEventsAndOtherTypesDoNotCome) {
  const Subscription subscription = Subscribe(Path());
  Change(subscription, [](Subscription& own) {
    own.event_types = {"ecommerce.payment.*"};
    return std::string("types");
  });
  Subscribe(Path("orders"));
  Start();
  Happen(1, tenant() + "-other");
  Happen(1);
  WaitForRequests(Path("orders"), 1);
  WaitForDeliveries(1, "DELIVERED");
  EXPECT_TRUE(receiver().At(Path()).empty());
}

TEST_F(Deliveries, AnEventGoesToTheSubscriptionsOfItsStoreAndOfAll) {
  SubscribeIn({"eu", "till"}, "eu");
  SubscribeIn({"us"}, "us");
  SubscribeIn({"default"}, "default");
  Subscribe(Path("all"));
  Start();
  Happen(2, "", "eu");
  Happen(1, "", "till");
  const std::vector<std::string> american = Happen(1, "", "us");
  // Written before there were stores.
  const std::vector<std::string> old = Happen(1);
  Happen(1, "", "elsewhere");
  WaitForRequests(Path("all"), 6);
  WaitForDeliveries(11, "DELIVERED");
  EXPECT_EQ(receiver().At(Path("all")).size(), 6u);
  EXPECT_EQ(receiver().At(Path("eu")).size(), 3u);
  ASSERT_EQ(receiver().At(Path("us")).size(), 1u);
  EXPECT_THAT(receiver().At(Path("us"))[0].body, ::testing::HasSubstr(american[0]));
  ASSERT_EQ(receiver().At(Path("default")).size(), 1u);
  EXPECT_THAT(receiver().At(Path("default"))[0].body, ::testing::HasSubstr(old[0]));
  EXPECT_EQ(Query("SELECT string_agg(store_code || ' ' || count, ', ' ORDER BY store_code) FROM (SELECT "
                  "store_code, count(*) FROM webhook.webhook_delivery WHERE tenant_id = $T GROUP BY 1) of"),
            "default 2, elsewhere 1, eu 4, till 2, us 2");
}

TEST_F(Deliveries, ChangedStoresHoldFromTheNextEventOn) {
  const Subscription subscription = SubscribeIn({"eu"}, "hook");
  Subscribe(Path("all"));
  Start();
  const std::string first = Happen(1, "", "eu")[0];
  WaitForDeliveries(2, "DELIVERED");
  SellIn(subscription, {"us"});
  Happen(1, "", "eu");
  const std::string second = Happen(1, "", "us")[0];
  WaitForRequests(Path("all"), 3);
  WaitForDeliveries(5, "DELIVERED");
  SellIn(subscription, {"*"});
  const std::string third = Happen(1, "", "eu")[0];
  WaitForDeliveries(7, "DELIVERED");
  std::vector<std::string> bodies;
  for (const Receiver::Seen& seen : receiver().At(Path())) bodies.push_back(seen.body);
  EXPECT_THAT(bodies, ElementsAre(::testing::HasSubstr(first), ::testing::HasSubstr(second),
                                  ::testing::HasSubstr(third)));
}

TEST_F(Deliveries, WhatFailsInOneStoreTouchesNoOther) {
  const Subscription hanging = SubscribeIn({"eu"}, "eu"), gone = SubscribeIn({"till"}, "till"),
                     well = SubscribeIn({"us"}, "us");
  receiver().Answers(Path("eu"), [](int) { return Receiver::Answer{.delay = absl::Seconds(10)}; });
  receiver().Answers(Path("till"), [](int) { return Receiver::Answer{.status = 410}; });
  Start();
  Happen(1, "", "till");
  Happen(2000, "", "eu");
  WaitFor("SELECT (count(*) >= 1000)::text FROM webhook.webhook_delivery WHERE tenant_id = $T", "true");
  const absl::Time begin = MonotonicNow();
  Happen(100, "", "us");
  const std::vector<Receiver::Seen> seen = WaitForRequests(Path("us"), 100);
  EXPECT_LE(seen.back().at - begin, absl::Seconds(2));
  WaitForDeliveries(100, "DELIVERED");
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(StateOf(gone), "DISABLED");
  EXPECT_EQ(StateOf(well), "ACTIVE");
  EXPECT_EQ(Query("SELECT count(failing_since) FROM webhook.webhook_endpoint WHERE tenant_id = $T AND "
                  "subscription_id = '" +
                  well.id.str() + "'"),
            "0");
}

TEST_F(Deliveries, WhatFailsComesAgainOnTimeUntilItIsGivenUp) {
  Subscribe(Path());
  FailAlways(500);
  Start();
  Happen(1);
  WaitForDeliveries(1, "FAILED");
  const std::vector<Receiver::Seen> seen = receiver().At(Path());
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_GE(seen[1].at - seen[0].at, absl::Milliseconds(400));
  EXPECT_LE(seen[1].at - seen[0].at, absl::Milliseconds(400) + kLate);
  EXPECT_GE(seen[2].at - seen[1].at, absl::Milliseconds(800));
  EXPECT_LE(seen[2].at - seen[1].at, absl::Milliseconds(800) + kLate);
  EXPECT_EQ(seen[2].headers.at("X-BV-Attempt"), "3");
  EXPECT_NE(seen[0].headers.at("webhook-signature"), seen[2].headers.at("webhook-signature"));
  EXPECT_EQ(AttemptWords(), "1 500 STATUS, 2 500 STATUS, 3 500 STATUS");
  EXPECT_EQ(Query("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND type = "
                  "'ecommerce.webhook.delivery.failed.v1' AND payload LIKE '%\"attempts\":3%'"),
            "1");
}

TEST_F(Deliveries, ARedirectFailsAndIsNotFollowed) {
  Subscribe(Path());
  receiver().Answers(Path(), [](int nth) { return Receiver::Answer{.status = nth == 1 ? 302 : 204}; });
  Start();
  Happen(1);
  WaitForDeliveries(1, "DELIVERED");
  EXPECT_EQ(AttemptWords(), "1 302 STATUS, 2 204 ");
}

TEST_F(Deliveries, AReceiverThatIsBusySaysWhenToComeBackWithinLimits) {
  settings_.delays = {"1s", "100ms"};
  Subscribe(Path());
  receiver().Answers(Path(), [](int nth) {
    if (nth == 1) return Receiver::Answer{.status = 429, .retry_after = "2"};
    if (nth == 2) return Receiver::Answer{.status = 503, .retry_after = "3600"};
    return Receiver::Answer{};
  });
  Start();
  Happen(1);
  const std::vector<Receiver::Seen> seen = WaitForRequests(Path(), 3);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_GE(seen[1].at - seen[0].at, absl::Seconds(2));
  EXPECT_LE(seen[1].at - seen[0].at, absl::Seconds(2) + kLate);
  EXPECT_GE(seen[2].at - seen[1].at, absl::Milliseconds(200));
  EXPECT_LE(seen[2].at - seen[1].at, absl::Milliseconds(200) + kLate);
  WaitForDeliveries(1, "DELIVERED");
}

TEST_F(Deliveries, GoneDisablesTheSubscriptionAndWhatWaitsComesWhenItIsResumed) {
  const Subscription subscription = Subscribe(Path());
  receiver().Answers(Path(), [](int nth) { return Receiver::Answer{.status = nth == 1 ? 410 : 200}; });
  Start();
  Happen(1);
  WaitFor("SELECT status || disabled_reason FROM webhook.webhook_subscription WHERE tenant_id = $T",
          "DISABLEDGONE");
  Happen(1);
  WaitForDeliveries(2, "DEFERRED");
  EXPECT_EQ(receiver().At(Path()).size(), 1u);
  Change(subscription, [](Subscription& own) { return Resume(own); });
  WaitForDeliveries(2, "DELIVERED");
}

TEST_F(Deliveries, AReceiverThatFailsForTooLongIsDisabled) {
  settings_.driver.disable_after = absl::Milliseconds(600);
  Subscribe(Path());
  FailAlways(500);
  Start();
  Happen(1);
  WaitFor("SELECT status || disabled_reason FROM webhook.webhook_subscription WHERE tenant_id = $T",
          "DISABLEDFAILING");
  EXPECT_EQ(Query("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND type = "
                  "'ecommerce.webhook.subscription.disabled.v1'"),
            "1");
}

TEST_F(Deliveries, FifoGoesOneByOneInOrderAlsoOverAFailure) {
  Subscribe(Path(), DeliveryOrder::kFifo);
  receiver().Answers(Path(), [](int nth) { return Receiver::Answer{.status = nth == 2 ? 500 : 200}; });
  Start();
  Happen(10);
  WaitForDeliveries(10, "DELIVERED");
  std::vector<std::string> sequences;
  for (const Receiver::Seen& seen : receiver().At(Path()))
    sequences.push_back(seen.headers.at("X-BV-Sequence"));
  EXPECT_THAT(sequences, ElementsAre("1", "2", "2", "3", "4", "5", "6", "7", "8", "9", "10"));
}

TEST_F(Deliveries, WhatHappensDuringAPauseComesAfterIt) {
  const Subscription subscription = Subscribe(Path());
  Change(subscription, [](Subscription& own) { return Pause(own); });
  Start();
  Happen(100);
  WaitForDeliveries(100, "DEFERRED");
  EXPECT_TRUE(receiver().At(Path()).empty());
  Change(subscription, [](Subscription& own) { return Resume(own); });
  WaitForDeliveries(100, "DELIVERED");
  EXPECT_EQ(receiver().At(Path()).size(), 100u);
}

TEST_F(Deliveries, AnEventThatComesTwiceIsDeliveredOnce) {
  Subscribe(Path());
  Start();
  const testing::Written event = EventOf(tenant());
  topic().Write({event, event});
  WaitForDeliveries(1, "DELIVERED");
  topic().Write({event});
  Happen(1);
  WaitForDeliveries(2, "DELIVERED");
  EXPECT_EQ(receiver().At(Path()).size(), 2u);
}

TEST_F(Deliveries, WhatWasBegunGoesOnAfterARestart) {
  // Too few to open the breaker, which would hold back the first attempts of the last ones.
  constexpr int kFailures = 9;
  Subscribe(Path());
  receiver().Answers(Path(),
                     [](int nth) { return Receiver::Answer{.status = nth <= kFailures ? 500 : 200}; });
  Start();
  Happen(kFailures);
  WaitForRequests(Path(), kFailures);
  Stop();
  Start();
  WaitForDeliveries(kFailures, "DELIVERED");
}

TEST_F(Deliveries, AnOpenBreakerHoldsBackAndUsesUpNoAttempts) {
  settings_.delays = {"3s"};
  settings_.driver.endpoint.breaker_open_for = absl::Seconds(1);
  Subscribe(Path());
  // Away for the first half second.
  absl::Time back = absl::InfiniteFuture();
  receiver().Answers(Path(), [&back](int nth) {
    if (nth == 1) back = MonotonicNow() + absl::Milliseconds(500);
    return Receiver::Answer{.status = MonotonicNow() < back ? 500 : 200};
  });
  Start();
  Happen(200);
  WaitForDeliveries(200, "DELIVERED");
  // It opens with the tenth failure, when up to 32 more run; then nothing comes for a second.
  const std::vector<Receiver::Seen> seen = receiver().At(Path());
  EXPECT_LE(seen.size(), 200u + 42u);
  absl::Duration silence;
  for (std::size_t i = 1; i < 45; ++i) silence = std::max(silence, seen[i].at - seen[i - 1].at);
  EXPECT_GE(silence, absl::Milliseconds(900));
  EXPECT_EQ(Query("SELECT max(attempts_made) FROM webhook.webhook_delivery WHERE tenant_id = $T"), "2");
}

TEST_F(Deliveries, AReceiverThatHangsHoldsUpNobodyElse) {
  const std::string other = tenant() + "-b";
  Subscribe(Path());
  receiver().Answers(Path(), [](int) { return Receiver::Answer{.delay = absl::Seconds(10)}; });
  Subscribe(PathOf(other, "hook"), DeliveryOrder::kAny, other);
  Start();
  Happen(2000);
  WaitFor("SELECT (count(*) >= 1000)::text FROM webhook.webhook_delivery WHERE tenant_id = $T", "true");
  const absl::Time begin = MonotonicNow();
  Happen(100, other);
  const std::vector<Receiver::Seen> seen = WaitForRequests(PathOf(other, "hook"), 100);
  EXPECT_LE(seen.back().at - begin, absl::Seconds(2));
}

TEST_F(Deliveries, RabbitmqKilledInTheMiddleLosesNothing) {
  Subscribe(Path());
  receiver().Answers(
      Path(), [](int nth) { return Receiver::Answer{.status = nth % 3 == 0 && nth < 60 ? 500 : 200}; });
  Start();
  Happen(300);
  WaitForRequests(Path(), 50);
  rabbitmq().Control({"eval", "dets:sync(ra_directory_reverse)."});
  rabbitmq().Kill();
  Happen(100);
  rabbitmq().Start();
  WaitForDeliveries(400, "DELIVERED");
}

TEST_F(Deliveries, ADeliveryWhoseMessageWasLostIsFound) {
  settings_.driver.overdue_after = absl::Seconds(1);
  const Subscription subscription = Subscribe(Path());
  ASSERT_EQ(Query(Concat("INSERT INTO webhook.webhook_delivery (tenant_id, delivery_id, subscription_id, "
                         "event_id, event_type, body, "
                         "sequence, status, due_at) VALUES ($T, '",
                         DeliveryId::New().str(), "', '", subscription.id.str(),
                         "', 'e', 'ecommerce.order.order.created.v1', '{}', 1, 'QUEUED', now() - interval '1 "
                         "minute') RETURNING 1")),
            "1");
  Start();
  WaitForDeliveries(1, "DELIVERED");
}

TEST_F(Deliveries, OldOnesAreDeleted) {
  Subscribe(Path());
  Start();
  Happen(3);
  WaitForDeliveries(3, "DELIVERED");
  Query(
      "UPDATE webhook.webhook_delivery SET created_at = now() - interval '31 days' WHERE tenant_id = $T AND "
      "sequence < 3");
  Retention retention({}, database().Connection());
  ASSERT_TRUE(retention.Round().ok());
  WaitForDeliveries(1, "DELIVERED");
  EXPECT_EQ(Query("SELECT count(*) FROM webhook.webhook_delivery_attempts WHERE tenant_id = $T"), "1");
}

}  // namespace
}  // namespace bv::webhook
