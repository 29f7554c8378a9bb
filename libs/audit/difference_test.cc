#include "libs/audit/difference.h"

#include <gtest/gtest.h>

#include "commerce/order/v1/service.pb.h"
#include "commerce/pricing/v1/service.pb.h"

namespace bv::audit {
namespace {

using commerce::order::v1::Order;
using commerce::pricing::v1::FlashSale;
using commerce::pricing::v1::PriceOverride;

PriceOverride Override(std::int64_t price) {
  PriceOverride made;
  made.set_sku("TENT");
  made.set_price(price);
  made.set_currency("USD");
  return made;
}

TEST(CompareTest, WhatIsTheSameIsLeftOut) {
  const PriceOverride before = Override(2500), after = Override(1999);
  const auto difference = Compare(&before, &after);
  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_EQ(difference->before, R"({"price":25.00})");
  EXPECT_EQ(difference->after, R"({"price":19.99})");
  EXPECT_EQ(Compare(&before, &before)->before, "");
  EXPECT_EQ(Compare(&before, &before)->after, "");
}

TEST(CompareTest, WhatWasNotThereIsEmpty) {
  const PriceOverride made = Override(2500);
  const auto set = Compare(nullptr, &made), removed = Compare(&made, nullptr);
  EXPECT_EQ(set->before, "");
  EXPECT_EQ(set->after, R"({"productId":"","variantId":"","sku":"TENT","price":25.00,"currency":"USD"})");
  EXPECT_EQ(removed->before, set->after);
  EXPECT_EQ(removed->after, "");
  EXPECT_EQ(Compare(nullptr, nullptr)->after, "");
}

TEST(CompareTest, AFieldThatComesOrGoesIsOnOneSide) {
  const PriceOverride before = Override(1);
  PriceOverride after = Override(1);
  after.mutable_valid_until()->set_seconds(1'700'000'000);
  const auto difference = Compare(&before, &after);
  EXPECT_EQ(difference->before, "{}");
  EXPECT_EQ(difference->after, R"({"validUntil":"2023-11-14T22:13:20Z"})");
}

TEST(CompareTest, PersonalDataIsNotTold) {
  Order before, after;
  for (Order* order : {&before, &after}) {
    order->set_email("ada@example.com");
    order->mutable_shipping_address()->set_name("Ada Lovelace");
    order->mutable_shipping_address()->set_city("London");
    order->mutable_shipping_address()->set_country_code("GB");
  }
  after.mutable_shipping_address()->set_name("Charles Babbage");
  after.mutable_shipping_address()->set_country_code("FR");
  after.mutable_shipping_address()->set_phone("+4930123456");
  const auto difference = Compare(&before, &after);
  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_EQ(difference->before,
            R"json({"shippingAddress":{"name":"(personal)","countryCode":"GB","phone":""}})json");
  EXPECT_EQ(
      difference->after,
      R"json({"shippingAddress":{"name":"(personal, changed)","countryCode":"FR","phone":"(personal)"}})json");
  const auto made = Compare(nullptr, &after);
  for (const char* secret : {"ada@", "Charles", "London", "4930"}) {
    EXPECT_EQ(made->after.find(secret), std::string::npos) << secret;
  }
}

TEST(CompareTest, ListsAndTextsOfAnyKindAreComparedAsTheyAre) {
  FlashSale before, after;
  before.set_name("a \"quoted\", {odd} name: \\");
  after.set_name("another}");
  for (FlashSale* sale : {&before, &after}) {
    commerce::pricing::v1::FlashSaleOffer* offer = sale->add_offers();
    offer->set_sku("TENT");
    offer->set_currency("USD");
  }
  after.mutable_offers(0)->set_price(100);
  const auto difference = Compare(&before, &after);
  ASSERT_TRUE(difference.ok()) << difference.status();
  EXPECT_EQ(difference->before, R"({"name":"a \"quoted\", {odd} name: \\",)"
                                R"("offers":[{"variantId":"","sku":"TENT","price":0.00,"currency":"USD"}]})");
  EXPECT_EQ(difference->after, R"({"name":"another}",)"
                               R"("offers":[{"variantId":"","sku":"TENT","price":1.00,"currency":"USD"}]})");
}

TEST(CompareTest, WhatIsTooLongIsNamedByItsHash) {
  FlashSale before, after;
  after.set_name(std::string(kValuesBytesMax, 'x'));
  const auto difference = Compare(&before, &after);
  EXPECT_EQ(difference->before, R"({"name":""})");
  EXPECT_EQ(difference->after.find(R"({"tooLong":8203,"sha256":")"), 0u) << difference->after;
  EXPECT_LT(difference->after.size(), 120u);
}

}  // namespace
}  // namespace bv::audit
