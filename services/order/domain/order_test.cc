#include "services/order/domain/order.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::order {
namespace {

PricedItem Priced(const char* sku, std::int64_t price, const char* currency = "USD") {
  return {.offer = Offer::kSellable,
          .product = ProductId::Trusted("prd_1"),
          .variant = VariantId::Trusted("var_1"),
          .sku = SkuCode::Trusted(sku),
          .title = sku,
          .price = {price, Currency::Trusted(currency)}};
}

WantedItem Wanted(const char* sku, std::int64_t qty) {
  return {.sku = SkuCode::Trusted(sku), .qty = qty};
}

absl::StatusOr<Order> PlaceOf(const Draft& draft, const std::vector<PricedItem>& priced) {
  return Place(OrderId::Trusted("ord_1"), "user-1", draft, priced);
}

TEST(Place, PricesByTheCatalogueAndAddsUp) {
  const auto order =
      PlaceOf({.items = {Wanted("A", 2), Wanted("B", 1)}}, {Priced("A", 2500), Priced("B", 7950)});
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(order->total, (Money{12950, Currency::Trusted("USD")}));
  EXPECT_EQ(order->status, Status::kPending);
  EXPECT_EQ(order->payment_status, PaymentStatus::kPending);
}

TEST(Place, AddsUpTheSameSku) {
  const auto order =
      PlaceOf({.items = {Wanted("A", 2), Wanted("A", 3)}}, {Priced("A", 100), Priced("A", 100)});
  ASSERT_TRUE(order.ok());
  ASSERT_EQ(order->items.size(), 1u);
  EXPECT_EQ(order->items[0].qty, 5);
  EXPECT_EQ(order->total.minor_units, 500);
}

TEST(Place, CashOnDeliveryIsDueOnDelivery) {
  const auto order = PlaceOf({.items = {Wanted("A", 1)}, .payment_method = PaymentMethod::kCashOnDelivery},
                             {Priced("A", 100)});
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(order->payment_status, PaymentStatus::kDueOnDelivery);
}

TEST(Place, NamesTheItemThatIsNotSold) {
  for (const Offer offer : {Offer::kNotFound, Offer::kAmbiguous, Offer::kNotSold}) {
    const auto order =
        PlaceOf({.items = {Wanted("A", 1), Wanted("B", 1)}}, {Priced("A", 100), {.offer = offer}});
    EXPECT_EQ(ErrorReason(order.status()), "ITEM_NOT_SOLD");
    EXPECT_EQ(GetErrorDetail(order.status()).field, "items[1]");
  }
}

TEST(Place, RefusesAnotherCurrency) {
  const Draft draft{.items = {Wanted("A", 1), Wanted("B", 1)}};
  EXPECT_EQ(ErrorReason(PlaceOf(draft, {Priced("A", 1), Priced("B", 1, "EUR")}).status()),
            "CURRENCY_MISMATCH");
  const Draft wants_euro{.items = {Wanted("A", 1)}, .currency = Currency::Trusted("EUR")};
  EXPECT_EQ(GetErrorDetail(PlaceOf(wants_euro, {Priced("A", 1)}).status()).field, "items[0]");
}

TEST(Place, RefusesATotalThatIsTooLarge) {
  const auto order = PlaceOf({.items = {Wanted("A", 2)}}, {Priced("A", kAmountMax)});
  EXPECT_EQ(ErrorReason(order.status()), "AMOUNT_TOO_LARGE");
  const auto overflow = PlaceOf({.items = {Wanted("A", kQuantityMax)}},
                                {Priced("A", std::numeric_limits<std::int64_t>::max())});
  EXPECT_EQ(ErrorReason(overflow.status()), "AMOUNT_TOO_LARGE");
}

TEST(CheckItems, NamesTheQuantity) {
  EXPECT_EQ(GetErrorDetail(CheckItems({})).field, "items");
  EXPECT_EQ(GetErrorDetail(CheckItems({Wanted("A", 1), Wanted("B", -1)})).field, "items[1].qty");
  EXPECT_EQ(GetErrorDetail(CheckItems({Wanted("A", kQuantityMax + 1)})).field, "items[0].qty");
  EXPECT_FALSE(CheckItems(std::vector<WantedItem>(kItemsMax + 1, Wanted("A", 1))).ok());
}

}  // namespace
}  // namespace bv::order
