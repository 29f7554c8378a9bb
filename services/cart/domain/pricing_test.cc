#include "services/cart/domain/pricing.h"

#include <gtest/gtest.h>

namespace bv::cart {
namespace {

SkuCode Sku(const char* text) {
  return SkuCode::Trusted(text);
}

Offer Sold(std::int64_t price, const char* currency = "USD") {
  return {.product = ProductId::Trusted("prd_1"),
          .title = "Tent",
          .sold = true,
          .price = {price, Currency::Trusted(currency)}};
}

Cart CartOf(std::vector<Item> items) {
  return {.id = CartId::Trusted("crt_1"), .items = std::move(items)};
}

TEST(Price, SumsWhatIsSold) {
  const auto priced =
      Price(CartOf({{Sku("A"), 2}, {Sku("B"), 1}}), {{Sku("A"), Sold(1050)}, {Sku("B"), Sold(1)}});
  ASSERT_TRUE(priced.ok());
  ASSERT_EQ(priced->items.size(), 2u);
  EXPECT_EQ(priced->items[0].amount, 2100);
  EXPECT_EQ(priced->total, (Money{2101, Currency::Trusted("USD")}));
}

TEST(Price, AnEmptyCartHasNoCurrency) {
  const auto priced = Price(CartOf({}), {});
  ASSERT_TRUE(priced.ok());
  EXPECT_TRUE(priced->total.currency.empty());
  EXPECT_EQ(priced->total.minor_units, 0);
}

TEST(Price, WhatIsNotSoldIsShownWithoutPrice) {
  Offer archived = Sold(500);
  archived.sold = false;
  archived.price = {};
  const auto priced = Price(CartOf({{Sku("GONE"), 1}, {Sku("ARCHIVED"), 4}, {Sku("A"), 1}}),
                            {{Sku("ARCHIVED"), archived}, {Sku("A"), Sold(7)}});
  ASSERT_TRUE(priced.ok());
  EXPECT_FALSE(priced->items[0].offer.sold);
  EXPECT_FALSE(priced->items[1].offer.sold);
  EXPECT_EQ(priced->items[1].offer.title, "Tent");
  EXPECT_EQ(priced->items[1].amount, 0);
  EXPECT_EQ(priced->total, (Money{7, Currency::Trusted("USD")}));
}

TEST(Price, AnotherCurrencyThanTheFirstIsNotInTheTotal) {
  const auto priced = Price(CartOf({{Sku("A"), 1}, {Sku("B"), 2}, {Sku("C"), 1}}),
                            {{Sku("A"), Sold(10)}, {Sku("B"), Sold(100, "JPY")}, {Sku("C"), Sold(1)}});
  ASSERT_TRUE(priced.ok());
  EXPECT_EQ(priced->items[1].amount, 200);
  EXPECT_EQ(priced->total, (Money{11, Currency::Trusted("USD")}));
}

TEST(Price, TheLargestCartFits) {
  std::vector<Item> items;
  Offers offers;
  for (std::size_t i = 0; i < kItemsMax; ++i) {
    const SkuCode sku = SkuCode::Trusted("S" + std::to_string(i));
    items.push_back({sku, kQuantityMax});
    offers[sku] = Sold(kAmountMax);
  }
  const auto priced = Price(CartOf(std::move(items)), offers);
  ASSERT_TRUE(priced.ok());
  EXPECT_EQ(priced->total.minor_units, 1'000'000'000'000'000'000);
}

TEST(Price, ATotalThatLeavesInt64IsRefused) {
  const auto priced = Price(CartOf({{Sku("A"), kQuantityMax}}), {{Sku("A"), Sold(INT64_MAX / 2)}});
  EXPECT_EQ(priced.status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace bv::cart
