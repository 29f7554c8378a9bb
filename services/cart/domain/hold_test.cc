#include "services/cart/domain/hold.h"

#include <gtest/gtest.h>

#include "services/cart/domain/cart.h"

namespace bv::cart {
namespace {

const absl::Time kUntil = absl::FromUnixSeconds(1'800'000'000);
const Hold kRequested{.state = HoldState::kRequested};
const Hold kHeld{.state = HoldState::kHeld, .qty = 2, .until = kUntil};
const Hold kRejected{.state = HoldState::kRejected};
const Hold kExpired{.state = HoldState::kExpired};

using Kind = HoldAnswer::Kind;

HoldAnswer AnswerOf(Kind kind, std::int64_t version = 7) {
  return {.kind = kind, .item_version = version, .qty = 2, .until = kUntil};
}

TEST(Answered, ARequestIsHeldOrRejected) {
  EXPECT_EQ(Answered(kRequested, 7, AnswerOf(Kind::kHeld)), kHeld);
  EXPECT_EQ(Answered(kRequested, 7, AnswerOf(Kind::kRejected)), kRejected);
}

TEST(Answered, WhatIsHeldEnds) {
  EXPECT_EQ(Answered(kHeld, 7, AnswerOf(Kind::kExpired)), kExpired);
  EXPECT_EQ(Answered(kHeld, 7, AnswerOf(Kind::kReleased)), Hold());
  // Its being held was not heard of.
  EXPECT_EQ(Answered(kRequested, 7, AnswerOf(Kind::kExpired)), kExpired);
}

TEST(Answered, AnAnswerForAnotherVersionChangesNothing) {
  for (const std::int64_t version : {6, 8}) {
    for (const Kind kind : {Kind::kHeld, Kind::kRejected, Kind::kReleased, Kind::kExpired}) {
      EXPECT_EQ(Answered(kRequested, 7, AnswerOf(kind, version)), kRequested);
      EXPECT_EQ(Answered(kHeld, 7, AnswerOf(kind, version)), kHeld);
    }
  }
}

TEST(Answered, AnAnswerThatComesTwiceChangesNothing) {
  for (const Hold& ended : {kRejected, kExpired, Hold()}) {
    for (const Kind kind : {Kind::kHeld, Kind::kRejected, Kind::kReleased, Kind::kExpired}) {
      EXPECT_EQ(Answered(ended, 7, AnswerOf(kind)), ended);
    }
  }
  HoldAnswer again = AnswerOf(Kind::kHeld);
  again.until += absl::Hours(1);
  EXPECT_EQ(Answered(kHeld, 7, again), kHeld);
  EXPECT_EQ(Answered(kHeld, 7, AnswerOf(Kind::kRejected)), kHeld);
}

TEST(HoldState, IsStoredAsAWord) {
  for (const HoldState state : {HoldState::kNone, HoldState::kRequested, HoldState::kHeld,
                                HoldState::kRejected, HoldState::kExpired}) {
    EXPECT_EQ(HoldStateOf(WordOf(state)), state);
  }
  EXPECT_EQ(WordOf(HoldState::kHeld), "HELD");
}

TEST(HoldPolicy, IsForTheTenantsThatAreNamed) {
  const TenantId acme = TenantId::Trusted("acme");
  EXPECT_EQ(HoldPolicy().TtlFor(acme), std::nullopt);
  EXPECT_EQ(HoldPolicy::Create({}, absl::Minutes(1))->TtlFor(acme), std::nullopt);
  EXPECT_EQ(HoldPolicy::Create({"globex"}, absl::Minutes(1))->TtlFor(acme), std::nullopt);
  EXPECT_EQ(HoldPolicy::Create({"globex", "acme"}, absl::Minutes(1))->TtlFor(acme), absl::Minutes(1));
  EXPECT_EQ(HoldPolicy::Create({"*"}, absl::Minutes(1))->TtlFor(acme), absl::Minutes(1));
  EXPECT_FALSE(HoldPolicy::Create({"acme", "*"}, absl::Minutes(1)).ok());
  EXPECT_FALSE(HoldPolicy::Create({"ACME!"}, absl::Minutes(1)).ok());
}

TEST(HoldId, IsOfTheItem) {
  const auto id = [](const char* tenant, const char* cart, const char* sku) {
    return HoldIdOf(TenantId::Trusted(tenant), CartId::Trusted(cart), SkuCode::Trusted(sku));
  };
  EXPECT_EQ(id("acme", "crt_1", "A"), id("acme", "crt_1", "A"));
  EXPECT_NE(id("acme", "crt_1", "A"), id("acme", "crt_1", "B"));
  EXPECT_NE(id("acme", "crt_1", "A"), id("acme", "crt_2", "A"));
  EXPECT_NE(id("acme", "crt_1", "A"), id("globex", "crt_1", "A"));
}

SkuCode Sku(const char* text) {
  return SkuCode::Trusted(text);
}

Cart SomeCart() {
  return {.id = CartId::Trusted("crt_1"),
          .items = {{Sku("A"), 1, 3, kHeld}, {Sku("B"), 2, 4, kRequested}, {Sku("C"), 3, 5, kExpired}},
          .version = 5};
}

TEST(Renew, AsksForWhatChanged) {
  Cart after = SomeCart();
  ASSERT_TRUE(SetItem(after, Sku("A"), 9).ok());
  ASSERT_TRUE(SetItem(after, Sku("D"), 1).ok());
  const auto requests = Renew(SomeCart(), after, HoldItems::kYes);
  EXPECT_EQ(requests, (std::vector<HoldRequest>{{Sku("A"), 9, 6}, {Sku("D"), 1, 6}}));
  EXPECT_EQ(after.version, 6);
  EXPECT_EQ(after.items[0], (Item{Sku("A"), 9, 6, kRequested}));
  EXPECT_EQ(after.items[1], SomeCart().items[1]);
  EXPECT_EQ(after.items[3], (Item{Sku("D"), 1, 6, kRequested}));
}

TEST(Renew, GivesBackWhatIsHeldAndNotWanted) {
  Cart after = SomeCart();
  after.items = {{Sku("E"), 1}};
  const std::vector<HoldRequest> given_back = {{Sku("A"), 0, 6}, {Sku("B"), 0, 6}};
  EXPECT_EQ(Renew(SomeCart(), after, HoldItems::kNo), given_back);
  EXPECT_EQ(after.items[0], (Item{Sku("E"), 1, 6, {}}));
  after.items = {{Sku("E"), 1}};
  EXPECT_EQ(Renew(SomeCart(), after, HoldItems::kYes),
            (std::vector<HoldRequest>{{Sku("A"), 0, 6}, {Sku("B"), 0, 6}, {Sku("E"), 1, 6}}));
}

TEST(Renew, WhereHoldsWereSwitchedOffAChangeEndsThem) {
  Cart after = SomeCart();
  for (const char* sku : {"A", "C"}) ASSERT_TRUE(SetItem(after, Sku(sku), 9).ok());
  EXPECT_EQ(Renew(SomeCart(), after, HoldItems::kNo), (std::vector<HoldRequest>{{Sku("A"), 0, 6}}));
  EXPECT_EQ(after.items[0].hold, Hold());
  EXPECT_EQ(after.items[2].hold, Hold());
}

TEST(Merge, WhatOneCartHoldsIsNotTheOthers) {
  Cart own{.id = CartId::Trusted("crt_2"), .items = {{Sku("A"), 4, 1, kHeld}}, .version = 1};
  const Cart before = own;
  ASSERT_TRUE(Merge(own, SomeCart()).ok());
  EXPECT_EQ(Renew(before, own, HoldItems::kYes),
            (std::vector<HoldRequest>{{Sku("A"), 5, 2}, {Sku("B"), 2, 2}, {Sku("C"), 3, 2}}));
  for (const Item& item : own.items) EXPECT_EQ(item.hold, kRequested);
}

TEST(TakeOver, WhatIsHeldOrMayCome) {
  Cart from = SomeCart();
  from.id = CartId::Trusted("crt_3");
  std::vector<HoldRequest> requests = {
      {Sku("A"), 5, 2}, {Sku("B"), 2, 2}, {Sku("C"), 3, 2}, {Sku("D"), 1, 2}};
  TakeOver(requests, from);
  EXPECT_EQ(requests[0].replaces, from.id);
  EXPECT_EQ(requests[1].replaces, from.id);
  EXPECT_EQ(requests[2].replaces, std::nullopt);
  EXPECT_EQ(requests[3].replaces, std::nullopt);
}

}  // namespace
}  // namespace bv::cart
