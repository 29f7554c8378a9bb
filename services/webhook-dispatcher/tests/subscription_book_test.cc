// What the book knows of changes that other sessions make.
#include "services/webhook-dispatcher/store/subscription_book.h"

#include <thread>

#include "libs/base/clock.h"
#include "services/webhook-dispatcher/tests/webhook_fixture.h"

namespace bv::webhook {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(250);
constexpr char kPaid[] = "ecommerce.order.order.paid.v1";
constexpr char kStore[] = "eu";

class SubscriptionBookTest : public WebhookTest {
 protected:
  void SetUp() override {
    WebhookTest::SetUp();
    book_ = std::make_unique<SubscriptionBook>(database().Connection(), kPoll);
    ASSERT_TRUE(book_->Start().ok());
  }
  void TearDown() override { book_.reset(); }

  // How long it takes until `condition` holds; forever is a minute.
  template <class Condition>
  static absl::Duration TimeUntil(Condition condition) {
    const absl::Time begin = MonotonicNow();
    while (!condition() && MonotonicNow() - begin < absl::Minutes(1)) std::this_thread::yield();
    return MonotonicNow() - begin;
  }
  std::shared_ptr<const Subscription> Find(const std::string& id) const {
    return book_->Find(tenant(), SubscriptionId::Trusted(id));
  }
  // Ends all sessions of the service, as a restart of the server does.
  void Disconnect() const {
    Query(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'");
  }
  void LetNobodyIn(bool closed) const {
    Query(std::string("ALTER ROLE ") + Query("SELECT current_database() || '_webhook'") +
          (closed ? " NOLOGIN" : " LOGIN"));
  }

  std::unique_ptr<SubscriptionBook> book_;
};

TEST_F(SubscriptionBookTest, HearsOfEveryChangeWithinASecond) {
  const pb::Subscription made = Stored(New({"ecommerce.order.*"}));
  const std::string id = made.subscription_id();
  EXPECT_LT(TimeUntil([&] { return Find(id) != nullptr; }), absl::Seconds(1));
  EXPECT_EQ(Find(id)->url, made.url());
  EXPECT_EQ(Find(id)->secret.text(), made.secret());
  ASSERT_EQ(book_->Matching(tenant(), kPaid, kStore).size(), 1u);
  EXPECT_EQ(book_->Matching(tenant(), "ecommerce.payment.payment.failed.v1", "").size(), 0u);
  EXPECT_EQ(book_->Matching(Stranger().tenant, kPaid, kStore).size(), 0u);
  EXPECT_EQ(book_->Find(Stranger().tenant, SubscriptionId::Trusted(id)), nullptr);

  ASSERT_TRUE(Call(&SubscriptionRpc::PauseSubscription, Of<pb::PauseSubscriptionRequest>(id)).ok());
  EXPECT_LT(TimeUntil([&] { return Find(id)->status == SubscriptionStatus::kPaused; }), absl::Seconds(1));
  // What is paused waits, so it matches.
  EXPECT_EQ(book_->Matching(tenant(), kPaid, kStore).size(), 1u);
  ASSERT_TRUE(Call(&SubscriptionRpc::RotateSecret, Of<pb::RotateSecretRequest>(id)).ok());
  EXPECT_LT(TimeUntil([&] { return Find(id)->SecretsAt(absl::Now()).size() == 2; }), absl::Seconds(1));
  ASSERT_TRUE(Call(&SubscriptionRpc::DeleteSubscription, Of<pb::DeleteSubscriptionRequest>(id)).ok());
  EXPECT_LT(TimeUntil([&] { return Find(id) == nullptr; }), absl::Seconds(1));
  EXPECT_EQ(book_->Matching(tenant(), kPaid, kStore).size(), 0u);
}

TEST_F(SubscriptionBookTest, KnowsAllFromTheStartTheOldestFirst) {
  std::vector<std::string> made;
  for (int i = 0; i < 3; ++i) made.push_back(Stored().subscription_id());
  SubscriptionBook another(database().Connection(), kPoll);
  ASSERT_TRUE(another.Start().ok());
  EXPECT_TRUE(another.fresh());
  std::vector<std::string> matching;
  for (const auto& subscription : another.Matching(tenant(), kPaid, kStore))
    matching.push_back(subscription->id.str());
  EXPECT_EQ(matching, made);
}

TEST_F(SubscriptionBookTest, AChangeThatCommitsLateIsNotPassedOver) {
  const std::string slow = Stored().subscription_id(), fast = Stored().subscription_id();
  EXPECT_LT(TimeUntil([&] { return Find(slow) && Find(fast); }), absl::Seconds(1));
  // The slow one takes its number first; the fast one waits for its commit.
  std::jthread other;
  ASSERT_TRUE(
      Transact([&](postgres::Session& session) {
        static constexpr postgres::Statement kSlow{
            "book_test_slow",
            "UPDATE webhook_subscription SET description = 'slow' WHERE subscription_id = $1"};
        session.Exec(kSlow, slow);
        other = std::jthread([&] {
          Query("UPDATE webhook.webhook_subscription SET description = 'fast' WHERE subscription_id = '" +
                fast + "'");
        });
        TimeUntil([&] {
          return Query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != "0";
        });
        return absl::OkStatus();
      }).ok());
  other.join();
  EXPECT_LT(TimeUntil([&] { return Find(slow)->description == "slow" && Find(fast)->description == "fast"; }),
            absl::Seconds(1));
}

TEST_F(SubscriptionBookTest, IsNotFreshWithoutItsDatabaseAndReadsAllAnewBehindIt) {
  const std::string kept = Stored().subscription_id(), lost = Stored().subscription_id();
  EXPECT_LT(TimeUntil([&] { return Find(kept) && Find(lost); }), absl::Seconds(1));
  EXPECT_TRUE(book_->fresh());

  LetNobodyIn(true);
  Disconnect();
  EXPECT_LT(TimeUntil([&] { return !book_->fresh(); }), absl::Seconds(3));
  // What it knows stays. Meanwhile the server loses a change that the book has heard of, as after a restore.
  EXPECT_NE(Find(lost), nullptr);
  Query(
      "SET session_replication_role = replica; DELETE FROM webhook.webhook_subscription WHERE "
      "subscription_id = '" +
      lost + "'");
  LetNobodyIn(false);
  EXPECT_LT(TimeUntil([&] { return book_->fresh(); }), absl::Seconds(3));
  EXPECT_EQ(Find(lost), nullptr);
  EXPECT_NE(Find(kept), nullptr);
}

}  // namespace
}  // namespace bv::webhook
