#include "services/product/domain/pricing.h"

#include <gtest/gtest.h>

#include <vector>

namespace bv::product {
namespace {

const Currency kUsd = Currency::Trusted("USD");
constexpr absl::Duration kMicro = absl::Microseconds(1);

absl::Time At(int second) {
  return absl::FromUnixSeconds(1'000'000 + second);
}
PricePeriod Period(PriceSource source, std::int64_t price, int from, int until) {
  return {source, {price, kUsd}, At(from), At(until)};
}
PricePeriod Catalog(std::int64_t price, int from) {
  return {PriceSource::kCatalog, {price, kUsd}, At(from)};
}

// A catalogue price since 0, an override in [10, 50), sales in [20, 30) and [40, 60).
const std::vector<PricePeriod> kAll{Period(PriceSource::kFlashSale, 500, 40, 60), Catalog(1000, 0),
                                    Period(PriceSource::kFlashSale, 600, 20, 30),
                                    Period(PriceSource::kOverride, 900, 10, 50)};

void ExpectPrice(absl::Time at, std::int64_t price, absl::Time from, absl::Time until) {
  const std::optional<EffectivePrice> found = PriceAt(kAll, at);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->price.minor_units, price) << at;
  EXPECT_EQ(found->valid_from, from) << at;
  EXPECT_EQ(found->valid_until, until) << at;
}

TEST(PriceAt, EachEdgeBelongsToWhatBegins) {
  struct Stretch {
    int from, until;
    std::int64_t price;
  };
  for (const Stretch& s : {Stretch{0, 10, 1000}, Stretch{10, 20, 900}, Stretch{20, 30, 600},
                           Stretch{30, 40, 900}, Stretch{40, 60, 500}}) {
    for (const absl::Time at : {At(s.from), At(s.from) + kMicro, At(s.until) - kMicro})
      ExpectPrice(at, s.price, At(s.from), At(s.until));
  }
  // The override ended under the sale.
  for (const absl::Time at : {At(60), At(60) + kMicro, At(1000)})
    ExpectPrice(at, 1000, At(60), absl::InfiniteFuture());
}

TEST(PriceAt, NothingHoldsBeforeTheFirstPrice) {
  EXPECT_FALSE(PriceAt(kAll, At(0) - kMicro).has_value());
  EXPECT_FALSE(PriceAt({}, At(0)).has_value());
}

TEST(PriceAt, WhatWasCanceledBeforeItBeganCutsNothing) {
  const std::vector<PricePeriod> periods{Catalog(1000, 0), Period(PriceSource::kFlashSale, 500, 20, 20)};
  const std::optional<EffectivePrice> price = PriceAt(periods, At(20));
  EXPECT_EQ(price->price.minor_units, 1000);
  EXPECT_EQ(price->valid_from, At(0));
  EXPECT_EQ(PriceAt(periods, At(10))->valid_until, absl::InfiniteFuture());
}

TEST(PriceAt, SalesThatTouchFollowEachOther) {
  const std::vector<PricePeriod> periods{Catalog(1000, 0), Period(PriceSource::kFlashSale, 500, 10, 20),
                                         Period(PriceSource::kFlashSale, 400, 20, 30)};
  EXPECT_EQ(PriceAt(periods, At(20) - kMicro)->price.minor_units, 500);
  EXPECT_EQ(PriceAt(periods, At(20) - kMicro)->valid_until, At(20));
  EXPECT_EQ(PriceAt(periods, At(20))->price.minor_units, 400);
  EXPECT_EQ(PriceAt(periods, At(20))->valid_from, At(20));
}

TEST(PriceAt, SaysWhereThePriceComesFrom) {
  EXPECT_EQ(PriceAt(kAll, At(5))->source, PriceSource::kCatalog);
  EXPECT_EQ(PriceAt(kAll, At(15))->source, PriceSource::kOverride);
  EXPECT_EQ(PriceAt(kAll, At(25))->source, PriceSource::kFlashSale);
  EXPECT_EQ(RegularPriceAt(kAll, At(25))->source, PriceSource::kOverride);
  EXPECT_EQ(RegularPriceAt(kAll, At(25))->valid_until, At(50));
  EXPECT_EQ(RegularPriceAt(kAll, At(55))->price.minor_units, 1000);
}

TEST(IsAnotherPrice, ComparesAmountCurrencyAndSource) {
  const EffectivePrice price{.price = {1000, kUsd}};
  EffectivePrice other = price;
  other.valid_from = At(1);
  EXPECT_FALSE(IsAnotherPrice(price, other));
  other.source = PriceSource::kOverride;
  EXPECT_TRUE(IsAnotherPrice(price, other));
  EXPECT_TRUE(IsAnotherPrice(price, {.price = {999, kUsd}}));
  EXPECT_TRUE(IsAnotherPrice(price, {.price = {1000, Currency::Trusted("EUR")}}));
}

}  // namespace
}  // namespace bv::product
