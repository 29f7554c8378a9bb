#include "services/cart/domain/cart.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::cart {
namespace {

SkuCode Sku(const std::string& text) {
  return SkuCode::Trusted(text);
}

Cart CartOf(std::vector<Item> items) {
  return {.id = CartId::Trusted("crt_1"), .owner = {.user_id = "ada"}, .items = std::move(items)};
}

Cart FullCart() {
  Cart cart = CartOf({});
  for (std::size_t i = 0; i < kItemsMax; ++i) cart.items.push_back({Sku("S" + std::to_string(i)), 1});
  return cart;
}

TEST(SessionId, IsLongEnoughToBeASecretAndPlain) {
  EXPECT_TRUE(SessionId::Parse(std::string(16, 'a')).ok());
  EXPECT_TRUE(SessionId::Parse(std::string(128, '_')).ok());
  EXPECT_TRUE(SessionId::Parse("AZaz09_-AZaz09_-").ok());
  for (const std::string& bad :
       {std::string(), std::string(15, 'a'), std::string(129, 'a'), std::string("0123456789abcde "),
        std::string("0123456789abcde\0", 16), std::string("0123456789abcd\xc3\xa9")}) {
    const absl::Status refused = SessionId::Parse(bad).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(GetErrorDetail(refused).field, "sessionId");
  }
}

TEST(Access, AUserCartIsItsUsersAndTheBackOfficeReads) {
  const Cart cart = CartOf({});
  EXPECT_TRUE(MayChange(cart, {.user_id = "ada", .role = Role::kCustomer}));
  EXPECT_TRUE(MayRead(cart, {.user_id = "ada", .role = Role::kCustomer}));
  EXPECT_FALSE(MayRead(cart, {.user_id = "bob", .role = Role::kCustomer}));
  EXPECT_FALSE(MayRead(cart, {.user_id = "", .role = Role::kNone}));
  for (const Role role : {Role::kStaff, Role::kAdmin, Role::kService}) {
    EXPECT_TRUE(MayRead(cart, {.user_id = "bob", .role = role}));
    EXPECT_FALSE(MayChange(cart, {.user_id = "bob", .role = role}));
  }
}

TEST(Access, ASessionCartIsWhoeversKnowsTheSecret) {
  Cart cart = CartOf({});
  cart.owner = {.session_hash = "abc"};
  EXPECT_TRUE(MayChange(cart, {.user_id = "bob", .role = Role::kCustomer, .session_hash = "abc"}));
  EXPECT_FALSE(MayRead(cart, {.user_id = "bob", .role = Role::kCustomer, .session_hash = "abd"}));
  EXPECT_FALSE(MayRead(cart, {.user_id = "bob", .role = Role::kCustomer}));
  EXPECT_FALSE(MayRead(cart, {.user_id = "eve", .role = Role::kAdmin}));
  cart.owner = {};
  EXPECT_FALSE(MayRead(cart, {.user_id = "", .role = Role::kCustomer}));
}

TEST(Access, TheOwnerOfANewCartIsTheSessionIfOneIsNamed) {
  EXPECT_EQ(OwnerOf({.user_id = "ada"}), Owner{.user_id = "ada"});
  EXPECT_EQ(OwnerOf({.user_id = "ada", .session_hash = "abc"}), Owner{.session_hash = "abc"});
}

TEST(Quantity, IsWithinItsLimits) {
  EXPECT_TRUE(CheckQuantity(0).ok());
  EXPECT_TRUE(CheckQuantity(kQuantityMax).ok());
  EXPECT_EQ(GetErrorDetail(CheckQuantity(-1)).field, "qty");
  EXPECT_EQ(GetErrorDetail(CheckQuantity(kQuantityMax + 1)).field, "qty");
  EXPECT_FALSE(CheckQuantity(INT64_MIN).ok());
  EXPECT_FALSE(CheckQuantity(INT64_MAX).ok());
}

TEST(SetItem, AddsChangesAndRemoves) {
  Cart cart = CartOf({});
  ASSERT_TRUE(SetItem(cart, Sku("A"), 2).ok());
  ASSERT_TRUE(SetItem(cart, Sku("B"), 1).ok());
  ASSERT_TRUE(SetItem(cart, Sku("A"), 5).ok());
  EXPECT_EQ(cart.items, (std::vector<Item>{{Sku("A"), 5}, {Sku("B"), 1}}));
  ASSERT_TRUE(SetItem(cart, Sku("A"), 0).ok());
  ASSERT_TRUE(SetItem(cart, Sku("C"), 0).ok());
  EXPECT_EQ(cart.items, (std::vector<Item>{{Sku("B"), 1}}));
}

TEST(SetItem, RefusesOneItemTooMany) {
  Cart cart = FullCart();
  const absl::Status refused = SetItem(cart, Sku("ONE-MORE"), 1);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(refused), "CART_FULL");
  EXPECT_EQ(cart.items.size(), kItemsMax);
  EXPECT_TRUE(SetItem(cart, Sku("S0"), 9).ok());
  EXPECT_TRUE(SetItem(cart, Sku("ONE-MORE"), 0).ok());
}

TEST(Merge, AddsQuantitiesUpToTheLimit) {
  Cart cart = CartOf({{Sku("A"), 2}, {Sku("B"), 9'000}});
  ASSERT_TRUE(Merge(cart, CartOf({{Sku("B"), 9'000}, {Sku("C"), 1}, {Sku("A"), 3}})).ok());
  EXPECT_EQ(cart.items, (std::vector<Item>{{Sku("A"), 5}, {Sku("B"), kQuantityMax}, {Sku("C"), 1}}));
}

TEST(Merge, TakesAllItemsOrNone) {
  Cart cart = FullCart();
  const std::vector<Item> before = cart.items;
  const absl::Status refused = Merge(cart, CartOf({{Sku("S0"), 1}, {Sku("NEW"), 1}}));
  EXPECT_EQ(ErrorReason(refused), "CART_FULL");
  EXPECT_EQ(cart.items, before);
  ASSERT_TRUE(Merge(cart, CartOf({{Sku("S0"), 1}})).ok());
  EXPECT_EQ(cart.items[0].qty, 2);
}

}  // namespace
}  // namespace bv::cart
