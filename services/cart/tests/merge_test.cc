// The session's cart becomes the user's at log-in.
#include "libs/base/strings.h"
#include "services/cart/tests/cart_fixture.h"

namespace bv::cart {
namespace {

class MergeTest : public CartTest {};

TEST_F(MergeTest, QuantitiesAddUpAndTheSessionCartIsClosed) {
  const std::string own = CartWith(As("ada"), {"A", "B"});
  const std::string session_cart = CartWith(As("ada"), {"C", "B"}, kSecret);
  ASSERT_TRUE(Set(As("ada"), session_cart, "B", 4, kSecret).ok());
  const auto merged = Merge(As("ada"), kSecret);
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(merged->cart_id(), own);
  EXPECT_EQ(merged->user_id(), "ada");
  EXPECT_EQ(ItemsOf(merged), "A 1, B 5, C 1");
  EXPECT_EQ(merged->total_amount(), 1000 + 5 * 250 + 1);
  EXPECT_EQ(ErrorReason(Get(As("ada"), session_cart, kSecret).status()), "CART_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Set(As("ada"), session_cart, "A", 1, kSecret).status()), "CART_NOT_FOUND");
}

TEST_F(MergeTest, RepeatedItAnswersTheSame) {
  CartWith(As("ada"), {"A"}, kSecret);
  const auto first = Merge(As("ada"), kSecret);
  const auto second = Merge(As("ada"), kSecret);
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  EXPECT_EQ(first->cart_id(), second->cart_id());
  EXPECT_EQ(ItemsOf(second), "A 1");
}

TEST_F(MergeTest, WithoutASessionCartItIsTheUsersCart) {
  const auto made = Merge(As("ada"), kSecret);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->items_size(), 0);
  EXPECT_EQ(Create(As("ada"))->cart_id(), made->cart_id());
}

TEST_F(MergeTest, TheSecretCanBeginANewCart) {
  const std::string first = CartWith(As("ada"), {"A"}, kSecret);
  ASSERT_TRUE(Merge(As("ada"), kSecret).ok());
  const std::string second = CartWith(As("ada"), {"B"}, kSecret);
  EXPECT_NE(first, second);
  EXPECT_EQ(ItemsOf(Merge(As("ada"), kSecret)), "A 1, B 1");
}

TEST_F(MergeTest, ASumStopsAtTheLargestQuantity) {
  const std::string own = CartWith(As("ada"), {"A"});
  const std::string session_cart = CartWith(As("ada"), {"A"}, kSecret);
  ASSERT_TRUE(Set(As("ada"), own, "A", 9'999).ok());
  ASSERT_TRUE(Set(As("ada"), session_cart, "A", 9'999, kSecret).ok());
  EXPECT_EQ(ItemsOf(Merge(As("ada"), kSecret)), "A 10000");
}

TEST_F(MergeTest, WhatDoesNotFitLeavesBothCartsAsTheyAre) {
  const auto own = Create(As("ada"));
  ASSERT_TRUE(own.ok());
  for (int i = 0; i < 100; ++i) {
    catalogue().Sell(Concat("M-", i), 1);
    ASSERT_TRUE(Set(As("ada"), own->cart_id(), Concat("M-", i), 1).ok());
  }
  const std::string session_cart = CartWith(As("ada"), {"M-0", "A"}, kSecret);
  const absl::Status refused = Merge(As("ada"), kSecret).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(refused), "CART_FULL");
  EXPECT_EQ(ItemsOf(Get(As("ada"), session_cart, kSecret)), "M-0 1, A 1");
  EXPECT_EQ(Get(As("ada"), own->cart_id())->total_amount(), 100);
  ASSERT_TRUE(Remove(As("ada"), own->cart_id(), "M-99").ok());
  EXPECT_EQ(Merge(As("ada"), kSecret)->total_amount(), 100 + 1000);
}

TEST_F(MergeTest, MergedAtOnceItemsAreAddedOnce) {
  for (int round = 0; round < 10; ++round) {
    const std::string secret = Concat(kSecret, round);
    const std::string user = Concat("user-", round);
    CartWith(As("visitor"), {"A", "B"}, secret);
    const auto carts = AtOnce(6, [&](int) { return Merge(As(user), secret); });
    for (const auto& cart : carts) EXPECT_EQ(ItemsOf(cart), "A 1, B 1");
  }
}

TEST_F(MergeTest, OfTwoUsersOneGetsTheItems) {
  for (int round = 0; round < 10; ++round) {
    const std::string secret = Concat(kSecret, round);
    CartWith(As("visitor"), {"A"}, secret);
    const auto carts = AtOnce(2, [&](int i) { return Merge(As(Concat("user-", round, "-", i)), secret); });
    ASSERT_TRUE(carts[0].ok() && carts[1].ok()) << carts[0].status() << carts[1].status();
    EXPECT_EQ(carts[0]->items_size() + carts[1]->items_size(), 1);
  }
}

TEST_F(MergeTest, AnItemSetMeanwhileIsMergedOrRefused) {
  for (int round = 0; round < 20; ++round) {
    const std::string secret = Concat(kSecret, round);
    const std::string user = Concat("user-", round);
    const std::string session_cart = CartWith(As("visitor"), {"A"}, secret);
    const auto results = AtOnce(2, [&](int i) {
      return i == 0 ? Merge(As(user), secret).status()
                    : Set(As("visitor"), session_cart, "B", 1, secret).status();
    });
    ASSERT_TRUE(results[0].ok()) << results[0];
    const std::string own = Create(As(user))->cart_id();
    if (results[1].ok()) {
      EXPECT_EQ(ItemsOf(Get(As(user), own)), "A 1, B 1");
    } else {
      EXPECT_EQ(ErrorReason(results[1]), "CART_NOT_FOUND");
      EXPECT_EQ(ItemsOf(Get(As(user), own)), "A 1");
    }
  }
}

TEST_F(MergeTest, SessionsMergedAtOnceIntoOneCartAreAllThere) {
  for (int round = 0; round < 5; ++round) {
    const std::string user = Concat("user-", round);
    for (int i = 0; i < 4; ++i) CartWith(As("visitor"), {"A"}, Concat(kSecret, "-", round, "-", i));
    const auto results =
        AtOnce(4, [&](int i) { return Merge(As(user), Concat(kSecret, "-", round, "-", i)).status(); });
    for (const absl::Status& status : results) EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(ItemsOf(Create(As(user))), "A 4");
  }
}

}  // namespace
}  // namespace bv::cart
