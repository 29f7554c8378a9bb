#include <gtest/gtest.h>

#include "libs/base/clock.h"
#include "libs/base/strings.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/redis_server.h"
#include "services/product/cache/product_cache.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {
namespace {

// A cache on a Redis and a topic of its own, in front of the fixture's tables.
class CacheTest : public ProductTest {
 protected:
  void SetUp() override {
    ProductTest::SetUp();
    topic_.Create(1);
    ProductCacheSettings settings;
    settings.redis = {.url = redis_.url(), .retry_after = absl::Milliseconds(50)};
    settings.kafka.brokers = testing::Environment("BV_KAFKA_BROKERS");
    absl::StatusOr<std::unique_ptr<ProductCache>> cache =
        ProductCache::Create(settings, topic_.name(), {topic_.name()});
    ASSERT_TRUE(cache.ok()) << cache.status();
    cache_ = *std::move(cache);
    ASSERT_TRUE(cache_->Start().ok());
    reader_ = std::make_unique<ProductRpc>(pool_, cache_.get());
  }
  void TearDown() override { cache_->Stop(); }

  pb::Product Read(const std::string& product_id) {
    pb::GetProductRequest request;
    request.set_product_id(product_id);
    absl::StatusOr<pb::Product> product =
        loop_.Run(reader_->GetProduct(rpc::Call<pb::GetProductRequest>(request, Staff())));
    EXPECT_TRUE(product.ok()) << product.status();
    return product.ok() ? *product : pb::Product();
  }
  std::optional<pb::Product> Cached(const std::string& product_id) {
    return loop_.Run(cache_->Find(*ProductId::Parse(product_id), Staff()));
  }
  // What outbox-relay writes of the product's newest event.
  void Publish(const std::string& product_id) {
    const std::string of_product = Concat(
        " FROM outbox.event WHERE tenant_id = $T"
        " AND aggregatetype = 'ecommerce.product.product' AND aggregateid = '",
        product_id, "' ORDER BY aggregate_version DESC LIMIT 1");
    topic_.Write(
        {{.key = product_id,
          .value = Query(Concat("SELECT payload", of_product)),
          .headers = {{"tenantId", tenant()},
                      {"aggregateVersion", Query(Concat("SELECT aggregate_version", of_product))}}}});
  }
  // Reads the product until the cache has it: once the consumer hears, and Redis is there.
  void WarmUp(const std::string& product_id) {
    WaitUntil([&] {
      Read(product_id);
      return Cached(product_id).has_value();
    });
  }
  template <class Condition>
  void WaitUntil(Condition condition) {
    const absl::Time end = MonotonicNow() + absl::Seconds(30);
    while (!condition()) {
      ASSERT_LT(MonotonicNow(), end) << "it did not come to that";
      std::this_thread::yield();
    }
  }

  testing::RedisServer redis_;
  testing::KafkaTopic topic_;
  postgres::Pool pool_{database().Connection(), postgres::PoolSettings{.size = 2, .queue_max = 64}};
  testing::Loop loop_;
  std::unique_ptr<ProductCache> cache_;
  std::unique_ptr<ProductRpc> reader_;
};

TEST_F(CacheTest, AnswersAsTheTablesDo) {
  const pb::Product product = Stored({"TENT-2", "TENT-4"});
  WarmUp(product.product_id());
  EXPECT_EQ(Cached(product.product_id())->SerializeAsString(), product.SerializeAsString());
  EXPECT_EQ(Read(product.product_id()).SerializeAsString(), product.SerializeAsString());
}

TEST_F(CacheTest, AnEventOfTheProductMakesItOutOfDate) {
  const pb::Product product = Stored({"TENT-2"});
  WarmUp(product.product_id());
  // By another replica, so that this one learns of it by the event only.
  ASSERT_TRUE(Update(PriceChange(product, "TENT-2", 900)).ok());
  EXPECT_EQ(Cached(product.product_id())->version(), 1);
  Publish(product.product_id());
  WaitUntil([&] { return !Cached(product.product_id()).has_value(); });
  EXPECT_EQ(Read(product.product_id()).version(), 2);
  EXPECT_EQ(Cached(product.product_id())->variants(0).price(), 900);
}

TEST_F(CacheTest, AFillThatAnEventOvertookIsRefused) {
  const pb::Product old = Stored({"TENT-2"});
  WarmUp(old.product_id());
  ASSERT_TRUE(Update(PriceChange(old, "TENT-2", 900)).ok());
  Publish(old.product_id());
  WaitUntil([&] { return !Cached(old.product_id()).has_value(); });
  // A reader that was slow: it had read the tables before the change.
  loop_.Run(cache_->Fill(old, MonotonicNow(), Staff()));
  EXPECT_FALSE(Cached(old.product_id()).has_value());
}

TEST_F(CacheTest, AFillThatComesMuchTooLateIsNotMade) {
  const pb::Product warm = Stored({"STOVE"});
  WarmUp(warm.product_id());
  const pb::Product product = Stored({"TENT-2"});
  loop_.Run(cache_->Fill(product, MonotonicNow() - absl::Minutes(1), Staff()));
  EXPECT_FALSE(Cached(product.product_id()).has_value());
  loop_.Run(cache_->Fill(product, MonotonicNow(), Staff()));
  EXPECT_TRUE(Cached(product.product_id()).has_value());
}

TEST_F(CacheTest, AWriterNeverReadsWhatWasBeforeItsChange) {
  const pb::Product product = Stored({"TENT-2"});
  WarmUp(product.product_id());
  const pb::UpdateProductRequest change = PriceChange(product, "TENT-2", 900);
  ASSERT_TRUE(loop_.Run(reader_->UpdateProduct(rpc::Call<pb::UpdateProductRequest>(change, Staff()))).ok());
  // Nothing has been published, so that Redis still has what was before.
  EXPECT_EQ(Read(product.product_id()).version(), 2);
  EXPECT_EQ(Cached(product.product_id())->version(), 2);
}

TEST_F(CacheTest, WithoutRedisTheTablesAreReadAndItHeals) {
  const pb::Product product = Stored({"TENT-2"});
  WarmUp(product.product_id());
  redis_.Kill();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(Read(product.product_id()).version(), 1);
  EXPECT_FALSE(Cached(product.product_id()).has_value());
  ASSERT_TRUE(Update(PriceChange(product, "TENT-2", 900)).ok());
  EXPECT_EQ(Read(product.product_id()).version(), 2);
  redis_.Start();
  WarmUp(product.product_id());
  EXPECT_EQ(Cached(product.product_id())->version(), 2);
}

TEST_F(CacheTest, ShoppersSeeNoDraftsInItEither) {
  pb::CreateProductRequest draft = NewProduct({"TENT-2"});
  draft.set_status(pb::PRODUCT_STATUS_DRAFT);
  const absl::StatusOr<pb::Product> product = Create(draft);
  ASSERT_TRUE(product.ok()) << product.status();
  WarmUp(product->product_id());
  pb::GetProductRequest request;
  request.set_product_id(product->product_id());
  const absl::StatusOr<pb::Product> seen =
      loop_.Run(reader_->GetProduct(rpc::Call<pb::GetProductRequest>(request, Shopper())));
  EXPECT_TRUE(absl::IsNotFound(seen.status())) << seen.status();
}

TEST_F(CacheTest, TenantsAreApart) {
  const pb::Product product = Stored({"TENT-2"});
  WarmUp(product.product_id());
  const RequestContext other = testing::ContextOf("another", "eve", Role::kStaff);
  EXPECT_FALSE(loop_.Run(cache_->Find(*ProductId::Parse(product.product_id()), other)).has_value());
}

}  // namespace
}  // namespace bv::product
