#include "services/order/rpc/price_cache.h"

#include <gtest/gtest.h>

namespace bv::order {
namespace {

const TenantId kAcme = TenantId::Trusted("acme");
const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

class PriceCacheTest : public ::testing::Test {
 protected:
  static PriceCache::Request Ask(const std::string& sku) {
    PriceCache::Request request;
    request.add_variants()->set_sku(sku);
    return request;
  }
  static PriceCache::Response Sold(std::int64_t price, std::int64_t version) {
    PriceCache::Response response;
    PriceCache::Variant* variant = response.add_variants();
    variant->set_outcome(PriceCache::Variant::OUTCOME_SELLABLE);
    variant->set_product_id("prd_1");
    variant->set_price(price);
    variant->set_product_version(version);
    variant->mutable_valid_from()->set_seconds(absl::ToUnixSeconds(kNow) - 100);
    return response;
  }
  std::int64_t PriceAt(absl::Time at, const TenantId& tenant = kAcme) {
    const auto found = cache_.Find(tenant, Ask("TENT"), at);
    return found ? found->variants(0).price() : 0;
  }

  bool is_current_ = true;
  PriceCache cache_{PriceCacheSettings{}, [this] { return is_current_; }};
};

TEST_F(PriceCacheTest, KnowsWhatItWasTold) {
  EXPECT_EQ(PriceAt(kNow), 0);
  cache_.Keep(kAcme, Ask("TENT"), Sold(2500, 1));
  EXPECT_EQ(PriceAt(kNow), 2500);
  EXPECT_EQ(PriceAt(kNow, TenantId::Trusted("globex")), 0);
}

TEST_F(PriceCacheTest, APriceHoldsToTheEdgeOfItsValidity) {
  PriceCache::Response sale = Sold(1999, 1);
  sale.mutable_variants(0)->mutable_valid_until()->set_seconds(absl::ToUnixSeconds(kNow));
  cache_.Keep(kAcme, Ask("TENT"), sale);
  EXPECT_EQ(PriceAt(kNow - absl::Microseconds(1)), 1999);
  EXPECT_EQ(PriceAt(kNow), 0) << "the catalogue is asked for the next price";
  EXPECT_EQ(PriceAt(kNow - absl::Seconds(101)), 0);
}

TEST_F(PriceCacheTest, AnEventEndsIt) {
  cache_.Keep(kAcme, Ask("TENT"), Sold(2500, 1));
  cache_.Changed(kAcme, "prd_1", 2);
  EXPECT_EQ(PriceAt(kNow), 0);
  cache_.Keep(kAcme, Ask("TENT"), Sold(2500, 1));
  EXPECT_EQ(PriceAt(kNow), 0) << "an answer from before the event comes late";
  cache_.Keep(kAcme, Ask("TENT"), Sold(2600, 2));
  EXPECT_EQ(PriceAt(kNow), 2600);
}

TEST_F(PriceCacheTest, IsNotUsedWhileEventsAreNotHeard) {
  cache_.Keep(kAcme, Ask("TENT"), Sold(2500, 1));
  is_current_ = false;
  EXPECT_EQ(PriceAt(kNow), 0);
}

TEST_F(PriceCacheTest, WhatIsNotSoldIsAskedAgain) {
  PriceCache::Response gone = Sold(2500, 1);
  gone.mutable_variants(0)->set_outcome(PriceCache::Variant::OUTCOME_NOT_SOLD);
  cache_.Keep(kAcme, Ask("TENT"), gone);
  EXPECT_EQ(PriceAt(kNow), 0);
}

}  // namespace
}  // namespace bv::order
