// Sales of a limited quantity: the quota that inventory keeps, and what its being used up does to the prices.
#include <functional>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/base/clock.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "services/product/events/quota_news.h"
#include "services/product/tests/pricing_fixture.h"

namespace bv::product {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);

class LimitedSaleTest : public PricingTest {
 protected:
  static pricing::CreateFlashSaleRequest Limited(pricing::CreateFlashSaleRequest request,
                                                 std::int64_t limit) {
    request.set_quantity_limit(limit);
    return request;
  }
  // A sale of `sku` at 6.00 that has begun and ends in a minute.
  pricing::FlashSale Running(const pb::Product& product, const std::string& sku, std::int64_t limit = 10) {
    const auto sale = Schedule(Limited(NewSale(product, sku, kMinute, 3 * kMinute), limit));
    EXPECT_TRUE(sale.ok()) << sale.status();
    LetPass(2 * kMinute);
    EXPECT_TRUE(Announce());
    return sale.ok() ? *sale : pricing::FlashSale();
  }
  // Returns whether it was news.
  bool Turn(const std::string& sale_id, bool sold_out, std::int64_t quota_version) {
    bool turned = false;
    const RequestContext context = testing::ContextOf(tenant());
    const QuotaTurn turn{FlashSaleId::Trusted(sale_id), sold_out, quota_version};
    postgres::Session session(database().Connection(), postgres::Plans::kIndexOnly);
    const absl::Status done = session.Transact({context.tenant}, [&](postgres::Session& s) -> absl::Status {
      const absl::StatusOr<bool> result = TurnSale(s, context, turn);
      turned = result.ok() && *result;
      return result.status();
    });
    EXPECT_TRUE(done.ok()) << done;
    return turned;
  }
  pricing::FlashSale Read(const std::string& sale_id) {
    pricing::GetFlashSaleRequest request;
    request.set_sale_id(sale_id);
    const auto sale = CallPricing(&PricingRpc::GetFlashSale, request, Staff());
    EXPECT_TRUE(sale.ok()) << sale.status();
    return sale.ok() ? *sale : pricing::FlashSale();
  }
  std::string Sales() const { return Query("SELECT count(*) FROM product.flash_sale WHERE tenant_id = $T"); }
};

TEST_F(LimitedSaleTest, ItsPiecesAreSetUpInInventoryAndItsPriceSaysSo) {
  const pb::Product product = Stored({"TENT"});
  const pricing::FlashSale sale = Running(product, "TENT");
  const std::string quota = "quota:" + sale.sale_id();
  EXPECT_EQ(inventory_.quotas(), (std::map<std::string, std::int64_t>{{quota, 10}}));
  EXPECT_EQ(Read(sale.sale_id()).quantity_limit(), 10);
  EXPECT_FALSE(Read(sale.sale_id()).sold_out());
  const pb::ResolvedVariant price = Price("TENT");
  EXPECT_EQ(price.price(), 600);
  EXPECT_EQ(price.flash_sale_id(), sale.sale_id());
  EXPECT_EQ(price.quota(), quota);
}

TEST_F(LimitedSaleTest, OtherPricesHaveNoQuota) {
  const pb::Product product = Stored({"TENT"});
  Sale(product, "TENT", kMinute, 2 * kMinute);
  EXPECT_EQ(Price("TENT").flash_sale_id(), "");
  LetPass(kMinute + absl::Seconds(30));
  EXPECT_NE(Price("TENT").flash_sale_id(), "");
  EXPECT_EQ(Price("TENT").quota(), "");
  EXPECT_TRUE(inventory_.quotas().empty());
}

TEST_F(LimitedSaleTest, WhatIsRefusedSetsUpNothing) {
  const pb::Product product = Stored({"TENT"});
  const pricing::CreateFlashSaleRequest wanted = NewSale(product, "TENT", kMinute, 2 * kMinute);
  for (const std::int64_t limit : {std::int64_t{0}, std::int64_t{-1}, kQuantityLimitMax + 1})
    EXPECT_EQ(FieldOfError(Schedule(Limited(wanted, limit)).status()), "quantityLimit") << limit;
  Sale(product, "TENT", kMinute, 2 * kMinute);
  EXPECT_EQ(ErrorReason(Schedule(Limited(wanted, 10)).status()), "SALE_OVERLAPS");
  pricing::CreateFlashSaleRequest unknown = wanted;
  unknown.set_product_id(ProductId::New().str());
  EXPECT_EQ(ErrorReason(Schedule(Limited(unknown, 10)).status()), "PRODUCT_NOT_FOUND");
  EXPECT_TRUE(inventory_.quotas().empty());
}

TEST_F(LimitedSaleTest, WithoutInventoryThereIsNoSale) {
  const pb::Product product = Stored({"TENT"});
  inventory_.GoAway();
  const absl::Status refused = Schedule(Limited(NewSale(product, "TENT", kMinute, 2 * kMinute), 10)).status();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_EQ(ErrorReason(refused), "PEER_UNAVAILABLE");
  EXPECT_EQ(Sales(), "0");
  EXPECT_TRUE(Schedule(NewSale(product, "TENT", kMinute, 2 * kMinute)).ok())
      << "without a limit nobody is asked";
}

TEST_F(LimitedSaleTest, AQuotaWhoseSaleIsNotStoredIsDropped) {
  const pb::Product product = Stored({"TENT"});
  postgres::Session other(database().Connection(), postgres::Plans::kDefault);
  static constexpr postgres::Statement kLock{"test_lock_limited", "SELECT FROM product FOR UPDATE"};
  const absl::Status held = other.Transact({TenantId::Trusted(tenant())}, [&](postgres::Session& session) {
    session.Exec(kLock);
    const auto busy = Schedule(Limited(NewSale(product, "TENT", kMinute, 2 * kMinute), 10));
    EXPECT_EQ(ErrorReason(busy.status()), "PRODUCT_BUSY");
    return absl::OkStatus();
  });
  EXPECT_TRUE(held.ok()) << held;
  ASSERT_EQ(inventory_.quotas().size(), 1u);
  EXPECT_EQ(inventory_.quotas().begin()->second, 0);
  EXPECT_EQ(Sales(), "0");
}

TEST_F(LimitedSaleTest, ItsPriceHoldsWhileThereIsSomethingLeft) {
  const pb::Product product = Stored({"TENT"});
  const pricing::FlashSale sale = Running(product, "TENT");
  ASSERT_TRUE(Turn(sale.sale_id(), true, 4));
  const pb::ResolvedVariant regular = Price("TENT");
  EXPECT_EQ(regular.price(), 1000);
  EXPECT_EQ(regular.quota(), "");
  EXPECT_TRUE(Read(sale.sale_id()).sold_out());
  EXPECT_EQ(Read(sale.sale_id()).status(), pricing::FLASH_SALE_STATUS_RUNNING);
  // To the microsecond: what was ordered before is at the sale's price.
  const absl::Time sold_out_at = rpc::FromTimestamp(regular.valid_from());
  EXPECT_EQ(Price("TENT", sold_out_at - absl::Microseconds(1)).price(), 600);
  EXPECT_EQ(rpc::FromTimestamp(Price("TENT", sold_out_at - absl::Microseconds(1)).valid_until()),
            sold_out_at);

  ASSERT_TRUE(Turn(sale.sale_id(), false, 5));
  const pb::ResolvedVariant again = Price("TENT");
  EXPECT_EQ(again.price(), 600);
  EXPECT_EQ(again.quota(), "quota:" + sale.sale_id());
  const absl::Time back_at = rpc::FromTimestamp(again.valid_from());
  EXPECT_GT(back_at, sold_out_at);
  EXPECT_EQ(Price("TENT", back_at - absl::Microseconds(1)).price(), 1000);
  EXPECT_FALSE(Read(sale.sale_id()).sold_out());
  EXPECT_EQ(Announced(product.product_id()),
            "price TENT 6 FLASH_SALE, started, price TENT 10 CATALOG, price TENT 6 FLASH_SALE");
}

TEST_F(LimitedSaleTest, OnlyWhatIsNewerIsNews) {
  const pb::Product product = Stored({"TENT"});
  const pricing::FlashSale sale = Running(product, "TENT");
  EXPECT_FALSE(Turn(sale.sale_id(), false, 3)) << "it is not sold out";
  EXPECT_TRUE(Turn(sale.sale_id(), true, 7));
  EXPECT_FALSE(Turn(sale.sale_id(), true, 7));
  EXPECT_FALSE(Turn(sale.sale_id(), false, 6)) << "older";
  EXPECT_EQ(Price("TENT").price(), 1000);
  EXPECT_FALSE(Turn(FlashSaleId::New().str(), true, 1)) << "of a sale that was not stored";
  const pricing::FlashSale unlimited = Sale(Stored({"POLE"}), "POLE", kMinute, 2 * kMinute);
  EXPECT_FALSE(Turn(unlimited.sale_id(), true, 1));
}

TEST_F(LimitedSaleTest, ASaleThatIsOverDoesNotTurn) {
  const pb::Product product = Stored({"TENT"});
  const pricing::FlashSale sale = Running(product, "TENT");
  ASSERT_TRUE(Turn(sale.sale_id(), true, 4));
  ASSERT_TRUE(Cancel(sale.sale_id()).ok());
  EXPECT_FALSE(Turn(sale.sale_id(), false, 5));
  EXPECT_EQ(Price("TENT").price(), 1000);
  EXPECT_EQ(Announced(product.product_id()),
            "price TENT 6 FLASH_SALE, started, price TENT 10 CATALOG, ended CANCELED");
}

TEST_F(LimitedSaleTest, TheNextSaleBeginsOnTimeAfterOneThatIsSoldOut) {
  const pb::Product product = Stored({"TENT"});
  const pricing::FlashSale sale = Running(product, "TENT");
  const pricing::FlashSale next = Sale(product, "TENT", 5 * kMinute, 6 * kMinute, 500);
  ASSERT_TRUE(Turn(sale.sale_id(), true, 4));
  const absl::Time end = rpc::FromTimestamp(Read(sale.sale_id()).ends_at());
  const absl::Time begin = rpc::FromTimestamp(next.starts_at());
  EXPECT_EQ(rpc::FromTimestamp(Price("TENT").valid_until()), end) << "then it is asked for again";
  EXPECT_EQ(rpc::FromTimestamp(Price("TENT", end).valid_until()), begin);
  EXPECT_EQ(Price("TENT", begin - absl::Microseconds(1)).price(), 1000);
  // Asked for a time that is further away than the question may be.
  LetPass(2 * kMinute);
  EXPECT_EQ(Price("TENT", begin - 2 * kMinute).price(), 500);
}

TEST_F(LimitedSaleTest, TheTurnTellsFirstWhatCameToPassBefore) {
  const pb::Product product = Stored({"TENT"});
  const auto sale = Schedule(Limited(NewSale(product, "TENT", kMinute, 3 * kMinute), 10));
  ASSERT_TRUE(sale.ok()) << sale.status();
  LetPass(2 * kMinute);
  // The announcer is away.
  ASSERT_TRUE(Turn(sale->sale_id(), true, 4));
  EXPECT_EQ(Announced(product.product_id()), "price TENT 6 FLASH_SALE, started, price TENT 10 CATALOG");
}

// Over the real Kafka.
class QuotaNewsTest : public LimitedSaleTest {
 protected:
  void SetUp() override {
    LimitedSaleTest::SetUp();
    topic_.Create(3);
    retries_.Create(3, {{"cleanup.policy", "compact"}});
    dead_letters_.Create(1);
  }
  std::unique_ptr<QuotaNews> Listen() {
    auto news = std::make_unique<QuotaNews>(
        kafka::ConsumerSettings{.brokers = testing::Environment("BV_KAFKA_BROKERS")}, database().Connection(),
        group_, topic_.name());
    EXPECT_TRUE(news->Start().ok());
    return news;
  }
  testing::Written EventOf(const std::string& quota, std::int64_t available, std::int64_t version) const {
    commerce::inventory::v1::QuotaAdjusted event;
    event.set_quota(quota);
    event.set_available(available);
    event.set_version(version);
    const auto row = events::MakeRow(event, version, absl::Now(), testing::ContextOf(tenant()));
    EXPECT_TRUE(row.ok()) << row.status();
    return {.key = row->key, .value = row->payload, .headers = {{"tenantId", tenant()}}};
  }
  static void WaitUntil(const std::function<bool()>& condition) {
    const absl::Time end = MonotonicNow() + absl::Seconds(30);
    while (!condition()) {
      ASSERT_LT(MonotonicNow(), end) << "it did not come to that";
      std::this_thread::yield();
    }
  }
  void WaitForPrice(std::int64_t price) {
    WaitUntil([&] { return Price("TENT").price() == price; });
  }
  // How many transactions were tried in vain.
  std::string RolledBack() const {
    return Query("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()");
  }

  testing::KafkaTopic topic_;
  const std::string group_ = topic_.name() + "-group";
  testing::KafkaTopic retries_{events::RetryTopic(topic_.name(), group_)};
  testing::KafkaTopic dead_letters_{Concat(topic_.name(), ".", group_, ".dlq")};
};

TEST_F(QuotaNewsTest, PricesFollowTheQuotaAlsoAfterARestart) {
  const pb::Product product = Stored({"TENT"});
  const std::string quota = "quota:" + Running(product, "TENT").sale_id();
  std::unique_ptr<QuotaNews> news = Listen();
  topic_.Write({EventOf("quota:of-somebody-else", 3, 1), EventOf(quota, 1, 2), EventOf(quota, 0, 3)});
  WaitForPrice(1000);
  EXPECT_EQ(dead_letters_.Read(1).front().key, "quota:of-somebody-else");
  news->Stop();
  news.reset();
  // Both while nobody listens, and what was heard before once more.
  topic_.Write({EventOf(quota, 0, 3), EventOf(quota, 2, 4)});
  news = Listen();
  WaitForPrice(600);
  news->Stop();
}

TEST_F(QuotaNewsTest, AProductThatIsBusyIsWaitedFor) {
  const pb::Product product = Stored({"TENT"});
  const std::string quota = "quota:" + Running(product, "TENT").sale_id();
  const std::unique_ptr<QuotaNews> news = Listen();
  topic_.Write({EventOf(quota, 1, 2)});
  postgres::Session other(database().Connection(), postgres::Plans::kDefault);
  static constexpr postgres::Statement kLock{"test_lock_turned", "SELECT FROM product FOR UPDATE"};
  const absl::Status held = other.Transact({TenantId::Trusted(tenant())}, [&](postgres::Session& session) {
    session.Exec(kLock);
    const std::string before = RolledBack();
    topic_.Write({EventOf(quota, 0, 3)});
    WaitUntil([&] { return RolledBack() != before; });
    return absl::OkStatus();
  });
  EXPECT_TRUE(held.ok()) << held;
  WaitForPrice(1000);
  news->Stop();
}

}  // namespace
}  // namespace bv::product
