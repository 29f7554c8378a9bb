#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <functional>
#include <stop_token>
#include <thread>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/service/access_feed.h"
#include "libs/telemetry/telemetry.h"
#include "libs/testing/kafka/broker_link.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"

namespace bv::service {
namespace {

void WaitUntil(const std::function<bool()>& condition) {
  const absl::Time until = MonotonicNow() + absl::Seconds(30);
  while (!condition()) {
    ASSERT_LT(MonotonicNow(), until) << "it does not come";
    std::this_thread::yield();
  }
}

// As services/identity writes them.
testing::Written Event(const std::string& type, const std::string& key, const std::string& payload) {
  return {.key = key,
          .value = absl::StrCat(R"({"eventId":"1","eventType":"ecommerce.identity.)", type,
                                R"(","occurredAt":"2026-11-22T12:00:00Z","payload":)", payload, "}"),
          .headers = {{"tenantId", "acme"}}};
}

std::string Written(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

testing::Written Revoked(const std::string& subject) {
  return Event("access.revoked.v1", subject,
               absl::StrCat(R"({"subject":")", subject, R"(","issuedUntil":")", Written(absl::Now()),
                            R"(","forgetAfter":")", Written(absl::Now() + absl::Hours(1)), R"("})"));
}

testing::Written Changed(const std::string& user, const std::string& status, int version) {
  return Event("staff.changed.v1", user,
               absl::StrCat(R"({"userId":")", user, R"(","status":")", status, R"(","version":)", version,
                            R"(,"grants":[{"storeCode":"*","permissions":["orders.read"]}]})"));
}

class AccessFeedTest : public ::testing::Test {
 protected:
  AccessFeedTest() {
    access_.Create(3);
    staff_.Create(3);
    verifier_ = *auth::Verifier::Create({.jwks_file = jwks_.path(),
                                         .development = true,
                                         .issuer = "https://issuer.bivouac.dev",
                                         .audience = "bivouac"});
  }

  std::unique_ptr<AccessFeed> Start() {
    auto feed = std::make_unique<AccessFeed>(
        loop_.io(),
        AccessSettings{.brokers = testing::Environment("BV_KAFKA_BROKERS"), .unknown_staff = "refuse"},
        "test", *verifier_, std::vector<std::string>{access_.name(), staff_.name()});
    const absl::Status started = feed->Start();
    EXPECT_TRUE(started.ok()) << started;
    return feed;
  }
  // Why the token of `user` is refused; "" when it is not.
  std::string Refusal(const std::string& user) {
    return ErrorReason(verifier_->Verify(jwks_.Token("acme", user, Role::kStaff)).status());
  }
  std::string TokenOf(const std::string& user) const { return jwks_.Token("acme", user, Role::kStaff); }

  const testing::KafkaTopic access_;
  const testing::KafkaTopic staff_;
  testing::JwksFile jwks_;
  testing::Loop loop_;
  std::unique_ptr<auth::Verifier> verifier_;
};

TEST_F(AccessFeedTest, KnowsWhatWasSaidBeforeItBegan) {
  const std::string token = TokenOf("ann");
  access_.Write({Revoked("ann"),
                 Event("access.other.v1", "bob", "{}"),
                 {.key = "bob", .value = "no event", .headers = {{"tenantId", "acme"}}},
                 Revoked("bob")});
  staff_.Write({Changed("carl", "ACTIVE", 7), Changed("carl", "DEACTIVATED", 8), Changed("carl", "ACTIVE", 6),
                Changed("dora", "ACTIVE", 3)});
  for (int start = 0; start < 2; ++start) {
    verifier_ = *auth::Verifier::Create({.jwks_file = jwks_.path(),
                                         .development = true,
                                         .issuer = "https://issuer.bivouac.dev",
                                         .audience = "bivouac"});
    const auto feed = Start();
    ASSERT_TRUE(feed->AwaitKnown({}));
    EXPECT_EQ(ErrorReason(verifier_->Verify(token).status()), "TOKEN_REVOKED");
    EXPECT_EQ(verifier_->revocations().size(), 2u) << "what is no event is passed over";
    EXPECT_EQ(Refusal("carl"), "TOKEN_REVOKED");
    const TenantId acme = TenantId::Trusted("acme");
    EXPECT_TRUE(verifier_->staff().Allows(acme, "dora", "orders.read"));
    EXPECT_FALSE(verifier_->staff().Allows(acme, "dora", "orders.write"));
    EXPECT_FALSE(verifier_->staff().Allows(acme, "stranger", "orders.read"));
    feed->Stop();
  }
}

TEST_F(AccessFeedTest, HearsOfARevocation) {
  const auto feed = Start();
  ASSERT_TRUE(feed->AwaitKnown({}));
  const std::string token = TokenOf("ann");
  ASSERT_TRUE(verifier_->Verify(token).ok());
  access_.Write({Revoked("ann")});
  WaitUntil([&] { return !verifier_->Verify(token).ok(); });
  EXPECT_EQ(Refusal("bob"), "");
}

TEST_F(AccessFeedTest, TakesNoTokenBeforeKafkaWasThere) {
  access_.Write({Revoked("ann")});
  std::unique_ptr<AccessFeed> feed;
  {
    const testing::BrokerOutage outage;
    feed = Start();
    EXPECT_EQ(Refusal("bob"), "ACCESS_PENDING");
    std::stop_source stop;
    stop.request_stop();
    EXPECT_FALSE(feed->AwaitKnown(stop.get_token())) << "it can be ended meanwhile";
  }
  ASSERT_TRUE(feed->AwaitKnown({}));
  EXPECT_EQ(Refusal("bob"), "");
  EXPECT_EQ(verifier_->revocations().size(), 1u);
}

TEST_F(AccessFeedTest, GoesOnWithWhatItKnowsWhileKafkaIsAway) {
  const std::string ann = TokenOf("ann"), bob = TokenOf("bob");
  access_.Write({Revoked("ann")});
  const auto feed = Start();
  ASSERT_TRUE(feed->AwaitKnown({}));
  prometheus::Gauge& age = telemetry::Gauge("bv_access_feed_age_seconds", "");
  {
    const testing::BrokerOutage outage;
    WaitUntil([&] { return age.Value() > 1; });
    EXPECT_EQ(ErrorReason(verifier_->Verify(ann).status()), "TOKEN_REVOKED");
    EXPECT_TRUE(verifier_->Verify(bob).ok());
  }
  access_.Write({Revoked("bob")});
  WaitUntil([&] { return !verifier_->Verify(bob).ok(); });
  WaitUntil([&] { return age.Value() == 0; });
}

TEST_F(AccessFeedTest, WithoutBrokersEverythingIsKnown) {
  AccessFeed feed(loop_.io(), {.brokers = "", .unknown_staff = "allow"}, "test", *verifier_);
  ASSERT_TRUE(feed.Start().ok());
  EXPECT_TRUE(feed.AwaitKnown({}));
  EXPECT_EQ(Refusal("ann"), "");
  EXPECT_TRUE(verifier_->staff().Allows(TenantId::Trusted("acme"), "stranger", "orders.read"));
  AccessFeed wrong(loop_.io(), {.brokers = "", .unknown_staff = "maybe"}, "test", *verifier_);
  EXPECT_FALSE(wrong.Start().ok());
}

}  // namespace
}  // namespace bv::service
