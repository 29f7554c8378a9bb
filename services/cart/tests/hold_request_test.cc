// What a cart asks inventory for.
#include <google/protobuf/util/message_differencer.h>

#include "services/cart/tests/hold_fixture.h"

namespace bv::cart {
namespace {

class HoldRequestTest : public HoldTest {
 protected:
  // "A 2 v1" for each request.
  std::vector<std::string> Asked() const {
    std::vector<std::string> asked;
    for (const inventory::ReservationRequested& request : Requests()) {
      asked.push_back(absl::StrCat(request.sku(), " ", request.qty(), " v", request.item_version()));
    }
    return asked;
  }
};

using Texts = std::vector<std::string>;

TEST_F(HoldRequestTest, AnItemAsksForItsHold) {
  const std::string id = CartWith(As("ada"), {});
  const auto cart = Set(As("ada"), id, "A", 2);
  const pb::CartHold hold = HoldOf(cart);
  EXPECT_EQ(hold.status(), pb::CartHold::STATUS_REQUESTED);
  EXPECT_EQ(hold.qty(), 0);
  EXPECT_FALSE(hold.has_held_until());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(HoldOf(Get(As("ada"), id)), hold));
  const inventory::ReservationRequested request = LastRequest();
  EXPECT_EQ(request.reservation_id(), hold.reservation_id());
  EXPECT_EQ(request.cart_id(), id);
  EXPECT_EQ(request.user_id(), "ada");
  EXPECT_EQ(request.sku(), "A");
  EXPECT_EQ(request.qty(), 2);
  EXPECT_EQ(request.hold_seconds(), 900);
  EXPECT_EQ(request.item_version(), 1);
  EXPECT_EQ(Query("SELECT aggregate_version FROM outbox.event WHERE tenant_id = $T"), "3")
      << "the first step of three";
}

TEST_F(HoldRequestTest, EveryChangeAsksAnew) {
  const std::string id = CartWith(As("ada"), {"A", "B"});
  ASSERT_TRUE(Set(As("ada"), id, "A", 5).ok());
  ASSERT_TRUE(Set(As("ada"), id, "A", 5).ok());  // is none
  ASSERT_TRUE(Remove(As("ada"), id, "A").ok());
  ASSERT_TRUE(Remove(As("ada"), id, "A").ok());  // is none
  // It is back, and newer than before.
  ASSERT_TRUE(Set(As("ada"), id, "A", 5).ok());
  EXPECT_EQ(Asked(), (Texts{"A 1 v1", "B 1 v2", "A 5 v3", "A 0 v4", "A 5 v5"}));
}

TEST_F(HoldRequestTest, ASessionsCartHoldsInNobodysName) {
  CartWith(As("ada"), {"A"}, kSecret);
  EXPECT_EQ(LastRequest().user_id(), "");
}

TEST_F(HoldRequestTest, AMergeMovesTheHolds) {
  CartWith(As("ada"), {"A", "B"});
  CartWith(As("ada"), {"B", "C"}, kSecret);
  std::vector<inventory::ReservationRequested> held = Requests();
  const auto merged = Merge(As("ada"), kSecret);
  std::vector<inventory::ReservationRequested> requests = Requests();
  requests.erase(requests.begin(), requests.begin() + static_cast<std::ptrdiff_t>(held.size()));
  held.erase(held.begin(), held.begin() + 2);
  ASSERT_EQ(requests.size(), 4u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(requests[i].cart_id(), merged->cart_id());
    EXPECT_EQ(requests[i].sku(), held[i].sku());
    EXPECT_EQ(requests[i].reservation_id(), HoldOf(merged, held[i].sku()).reservation_id());
    EXPECT_EQ(requests[i].replaces(), held[i].reservation_id()) << "of the session's cart";
    EXPECT_EQ(requests[i + 2].reservation_id(), held[i].reservation_id());
    EXPECT_EQ(requests[i + 2].qty(), 0);
  }
  EXPECT_EQ(requests[0].qty(), 2);
}

TEST_F(HoldRequestTest, ARefusedChangeAsksForNothing) {
  const std::string id = CartWith(As("ada"), {});
  EXPECT_FALSE(Set(As("ada"), id, "NEVER-WAS", 1).ok());
  EXPECT_FALSE(Set(As("bob"), id, "A", 1).ok());
  EXPECT_TRUE(Requests().empty());
}

TEST_F(HoldRequestTest, ItemsChangedAtOnceHaveVersionsOfTheirOwn) {
  const std::string id = CartWith(As("ada"), {});
  const auto statuses =
      AtOnce(8, [&](int i) { return Set(As("ada"), id, i % 2 == 0 ? "A" : "B", i + 1).status(); });
  for (const absl::Status& status : statuses) EXPECT_TRUE(status.ok()) << status;
  const std::vector<inventory::ReservationRequested> requests = Requests();
  ASSERT_EQ(requests.size(), 8u);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].item_version(), static_cast<std::int64_t>(i) + 1) << "in the order of the outbox";
  }
}

class NoHoldTest : public HoldTest {
 protected:
  CartRpc& rpc() override { return holds_ ? holding_rpc() : CartTest::rpc(); }
  bool holds_ = false;
};

TEST_F(NoHoldTest, WithoutHoldsNothingIsAskedFor) {
  const std::string id = CartWith(As("ada"), {"A"});
  CartWith(As("ada"), {"B"}, kSecret);
  ASSERT_TRUE(Merge(As("ada"), kSecret).ok());
  ASSERT_TRUE(Remove(As("ada"), id, "A").ok());
  EXPECT_FALSE(Get(As("ada"), id)->items(0).has_hold());
  EXPECT_TRUE(Requests().empty());
}

TEST_F(NoHoldTest, WhereTheyAreSwitchedOffAChangeGivesBack) {
  holds_ = true;
  const std::string id = CartWith(As("ada"), {"A", "B"});
  holds_ = false;
  const auto cart = Set(As("ada"), id, "A", 3);
  EXPECT_EQ(LastRequest().sku(), "A");
  EXPECT_EQ(LastRequest().qty(), 0);
  EXPECT_EQ(HoldOf(cart, "A").status(), pb::CartHold::STATUS_UNSPECIFIED);
  EXPECT_EQ(HoldOf(cart, "B").status(), pb::CartHold::STATUS_REQUESTED);
}

}  // namespace
}  // namespace bv::cart
