// Holds from their making to their end, and what is remembered of a sold-out SKU.
#include "libs/base/clock.h"
#include "services/inventory/expiry/expirer.h"
#include "services/inventory/tests/stock_fixture.h"

namespace bv::inventory {
namespace {

using ::testing::ElementsAre;

class HoldsTest : public StockFixture {
 protected:
  absl::StatusOr<Outcome> Do(Command command, const std::string& tenant = "acme") {
    return Start(*lanes_, "key", std::move(command), testing::ContextOf(tenant)).get();
  }
  absl::StatusOr<Outcome> ReserveFor(const std::string& id, std::vector<Line> lines, absl::Duration hold) {
    ReserveCommand command{
        .reservation_id = id, .user_id = "user-1", .lines = std::move(lines), .hold = hold};
    return Do(std::move(command));
  }
  absl::StatusOr<Outcome> HoldForCart(const std::string& sku, std::int64_t qty, std::int64_t version) {
    HoldCommand command{.reservation_id = "hold-" + sku,
                        .cart_id = "crt_1",
                        .sku = SkuCode::Trusted(sku),
                        .qty = qty,
                        .hold = absl::Minutes(15),
                        .item_version = version};
    return Do(std::move(command));
  }
  std::string State(const std::string& id) const {
    return database_.Query("SELECT status FROM inventory.reservation WHERE reservation_id = '" + id + "'");
  }
  // The events of reservations so far, "held 1" with the version of the item.
  std::string News() const {
    return database_.Query(R"sql(
      SELECT coalesce(string_agg(split_part(type, '.', 4) || coalesce(' ' || (payload::json->'payload'->>'itemVersion'), ''), ', ' ORDER BY seq), '')
      FROM outbox.event WHERE aggregatetype = 'ecommerce.inventory.reservation')sql");
  }
};

TEST_F(HoldsTest, ACommittedReservationDoesNotExpire) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(ReserveFor("r-1", {Of("TENT", 2)}, -absl::Seconds(1)).ok());
  ASSERT_TRUE(Do(CommitCommand{"r-1"}).ok());
  ASSERT_TRUE(Do(CommitCommand{"r-1"}).ok()) << "once more changes nothing";
  ExpireCommand expire{.reservation_id = "r-1", .sku = SkuCode::Trusted("TENT")};
  EXPECT_EQ(Do(expire)->reservation.state, ReservationState::kCommitted);
  EXPECT_EQ(Stock("TENT"), "MAIN 10/2 v2");
  ASSERT_TRUE(Do(UncommitCommand{"r-1"}).ok());
  EXPECT_EQ(Do(expire)->reservation.state, ReservationState::kExpired);
  EXPECT_EQ(Stock("TENT"), "MAIN 10/0 v3");
  const absl::Status late = Do(CommitCommand{"r-1"}).status();
  EXPECT_EQ(ErrorReason(late), "RESERVATION_NOT_HELD");
  EXPECT_NE(late.message().find("EXPIRED"), absl::string_view::npos) << late;
  EXPECT_EQ(News(), "expired 0");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(HoldsTest, AHoldWhoseTimeIsNotOverStays) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(ReserveFor("r-1", {Of("TENT", 2)}, absl::Minutes(1)).ok());
  ExpireCommand expire{.reservation_id = "r-1", .sku = SkuCode::Trusted("TENT")};
  EXPECT_EQ(Do(expire)->reservation.state, ReservationState::kHeld);
  EXPECT_EQ(Stock("TENT"), "MAIN 10/2 v2");
}

TEST_F(HoldsTest, ShippingTakesTheStockOutOnce) {
  ASSERT_TRUE(Adjust("TENT", 2, "A").ok());
  ASSERT_TRUE(Adjust("TENT", 2, "B").ok());
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 3)}).ok());
  const auto ship = [this](const std::string& shipment, std::int64_t qty) {
    ShipCommand command{.reservation_id = "r-1", .shipment_id = shipment, .lines = {Of("TENT", qty)}};
    return Do(std::move(command));
  };
  EXPECT_EQ(ErrorReason(ship("s-1", 1).status()), "RESERVATION_NOT_COMMITTED");
  ASSERT_TRUE(Do(CommitCommand{"r-1"}).ok());
  ASSERT_TRUE(ship("s-1", 2).ok());
  ASSERT_TRUE(ship("s-1", 2).ok()) << "the same shipment again";
  EXPECT_EQ(Stock("TENT"), "A 0/0 v3, B 2/1 v2");
  EXPECT_EQ(ErrorReason(ship("s-2", 2).status()), "SHIPMENT_TOO_LARGE");
  EXPECT_EQ(ship("s-2", 1)->reservation.state, ReservationState::kShipped);
  EXPECT_EQ(Stock("TENT"), "A 0/0 v3, B 1/0 v3");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(HoldsTest, APaidOrderThatIsCanceledGivesBackWhatIsNotShipped) {
  ASSERT_TRUE(Adjust("TENT", 5).ok());
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 3)}).ok());
  ASSERT_TRUE(Do(CommitCommand{"r-1"}).ok());
  EXPECT_EQ(ErrorReason(Release("r-1", "user-1").status()), "RESERVATION_NOT_HELD") << "not by the customer";
  ShipCommand ship{.reservation_id = "r-1", .shipment_id = "s-1", .lines = {Of("TENT", 1)}};
  ASSERT_TRUE(Do(ship).ok());
  ASSERT_TRUE(Release("r-1").ok());
  EXPECT_EQ(Stock("TENT"), "MAIN 4/0 v4");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(HoldsTest, ACartsHoldFollowsItsItem) {
  ASSERT_TRUE(Adjust("TENT", 5).ok());
  ASSERT_TRUE(HoldForCart("TENT", 2, 1).ok());
  EXPECT_EQ(Stock("TENT"), "MAIN 5/2 v2");
  ASSERT_TRUE(HoldForCart("TENT", 5, 2).ok()) << "what the cart had counts as free for it";
  EXPECT_EQ(Stock("TENT"), "MAIN 5/5 v3");
  ASSERT_TRUE(HoldForCart("TENT", 1, 1).ok()) << "an older request is passed over";
  EXPECT_EQ(Stock("TENT"), "MAIN 5/5 v3");
  ASSERT_TRUE(HoldForCart("TENT", 6, 3).ok());
  EXPECT_EQ(Stock("TENT"), "MAIN 5/0 v4") << "more than there is: nothing is held";
  ASSERT_TRUE(HoldForCart("TENT", 1, 4).ok());
  ASSERT_TRUE(HoldForCart("TENT", 0, 5).ok());
  EXPECT_EQ(Stock("TENT"), "MAIN 5/0 v6");
  EXPECT_EQ(News(), "held 1, held 2, rejected 3, held 4, released 5");
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
}

TEST_F(HoldsTest, AnOrderTakesThePlaceOfTheCartsHold) {
  ASSERT_TRUE(Adjust("TENT", 2).ok());
  ASSERT_TRUE(Adjust("MUG", 1).ok());
  ASSERT_TRUE(HoldForCart("TENT", 2, 1).ok());
  ReserveCommand order{.reservation_id = "r-1",
                       .user_id = "user-1",
                       .lines = {Of("TENT", 2), Of("MUG", 2)},
                       .hold = absl::Minutes(15),
                       .replaces = {"hold-TENT", "unknown"},
                       .holder = Holder::kOrder};
  EXPECT_EQ(ErrorReason(Do(order).status()), "OUT_OF_STOCK");
  EXPECT_EQ(State("hold-TENT"), "HELD") << "an order that fails leaves the cart what it has";
  EXPECT_EQ(Stock("TENT"), "MAIN 2/2 v2");
  order.lines = {Of("TENT", 2)};
  ASSERT_TRUE(Do(order).ok());
  EXPECT_EQ(State("hold-TENT"), "RELEASED");
  EXPECT_EQ(Stock("TENT"), "MAIN 2/2 v3");
  EXPECT_EQ(News(), "held 1, released 1");
  order.reservation_id = "r-2";
  order.lines = {Of("MUG", 1)};
  order.replaces = {"r-1"};
  ASSERT_TRUE(Do(order).ok());
  EXPECT_EQ(State("r-1"), "HELD") << "only a cart's hold is replaced";
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(HoldsTest, ACartTakesOverTheHoldOfAnother) {
  ASSERT_TRUE(Adjust("TENT", 2).ok());
  ASSERT_TRUE(HoldForCart("TENT", 2, 1).ok());
  HoldCommand merged{.reservation_id = "hold-merged",
                     .cart_id = "crt_2",
                     .sku = SkuCode::Trusted("TENT"),
                     .qty = 2,
                     .hold = absl::Minutes(15),
                     .item_version = 1,
                     .replaces = "hold-TENT"};
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(Do(merged)->reservation.state, ReservationState::kHeld);
    EXPECT_EQ(State("hold-TENT"), "RELEASED");
    EXPECT_EQ(Stock("TENT"), "MAIN 2/2 v3");
  }
  ASSERT_TRUE(HoldForCart("TENT", 0, 2).ok()) << "what it would have given back is gone";
  EXPECT_EQ(Stock("TENT"), "MAIN 2/2 v3");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(HoldsTest, TheBufferIsKeptBack) {
  ASSERT_TRUE(Adjust("TENT", 5, "A").ok());
  ASSERT_TRUE(Adjust("TENT", 5, "B").ok());
  PolicyCommand policy{.user_id = "staff-1",
                       .sku = SkuCode::Trusted("TENT"),
                       .location = LocationCode::Trusted("A"),
                       .policy = {.buffer = 2, .priority = 200}};
  const absl::StatusOr<Outcome> set = Do(policy);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->shelf.available(), 8);
  policy.policy = {.buffer = 9};
  EXPECT_EQ(ErrorReason(Do(policy).status()), "STOCK_NEGATIVE");
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 6)}).ok());
  EXPECT_EQ(Stock("TENT"), "A 5/1 v3, B 5/5 v2") << "B first: A has the larger priority number";
  ReserveCommand whole{.reservation_id = "r-2",
                       .user_id = "user-1",
                       .lines = {Of("TENT", 3)},
                       .hold = absl::Minutes(1),
                       .split = Split::kNever};
  EXPECT_EQ(ErrorReason(Do(whole).status()), "OUT_OF_STOCK");
  whole.lines = {Of("TENT", 2)};
  EXPECT_TRUE(Do(whole).ok());
  EXPECT_EQ(database_.Query("SELECT sum(buffer_delta) FROM inventory.inventory_adjustment"), "2");
}

TEST_F(HoldsTest, AForcedAdjustmentSaysSo) {
  ASSERT_TRUE(Adjust("TENT", 5).ok());
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 4)}).ok());
  EXPECT_EQ(ErrorReason(Adjust("TENT", -3).status()), "STOCK_NEGATIVE");
  Command count = AdjustOf("TENT", -3, "MAIN", AdjustmentId::New(), "COUNTED");
  std::get<AdjustCommand>(count).force = Force::kYes;
  const absl::StatusOr<Outcome> counted = Do(count);
  ASSERT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(counted->shelf.available(), -2);
  EXPECT_EQ(
      database_.Query(
          "SELECT string_agg(forced::text, ' ' ORDER BY created_at) FROM inventory.inventory_adjustment "
          "WHERE on_hand_delta <> 0"),
      "false true");
  EXPECT_EQ(ErrorReason(Reserve("r-2", {Of("TENT", 1)}).status()), "OUT_OF_STOCK");
  ASSERT_TRUE(Adjust("TENT", 1).ok()) << "what comes in is taken, though it does not suffice yet";
  ASSERT_TRUE(Adjust("TENT", 3).ok());
  EXPECT_TRUE(Reserve("r-2", {Of("TENT", 1)}).ok());
  std::get<AdjustCommand>(count).adjustment_id = AdjustmentId::New();
  std::get<AdjustCommand>(count).delta = -100;
  EXPECT_EQ(ErrorReason(Do(count).status()), "STOCK_NEGATIVE") << "on hand itself is never negative";
}

// The memory that the lanes of a process share, asked as StockRoom asks it.
TEST_F(HoldsTest, ASoldOutSkuIsRememberedUntilItIsBack) {
  ASSERT_TRUE(Adjust("TENT", 2).ok());
  const auto remembered = [this](const std::string& id) {
    ReserveCommand command{.reservation_id = id, .lines = {Of("TENT", 1)}};
    const auto refusal = memory_.sold_out.Refusal(TenantId::Trusted("acme"), command, MonotonicNow());
    return refusal.has_value() ? ErrorReason(*refusal) : "ask";
  };
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 1)}).ok());
  EXPECT_EQ(remembered("r-9"), "ask");
  ASSERT_TRUE(Reserve("r-2", {Of("TENT", 1)}).ok());
  EXPECT_EQ(remembered("r-9"), "OUT_OF_STOCK");
  EXPECT_EQ(remembered("r-1"), "ask") << "a repeat of a successful request has its answer in the database";
  EXPECT_EQ(remembered("r-2"), "ask");
  ASSERT_TRUE(Release("r-2").ok());
  EXPECT_EQ(remembered("r-9"), "ask") << "at once";
  ASSERT_TRUE(Reserve("r-3", {Of("TENT", 1)}).ok());
  EXPECT_EQ(remembered("r-9"), "OUT_OF_STOCK");
  EXPECT_EQ(remembered("r-3"), "ask");
}

TEST_F(HoldsTest, WhatWasNotCommittedIsNotRemembered) {
  ASSERT_TRUE(Adjust("TENT", 1).ok());
  StockLanes failing("stock", database_.Connection(), postgres::LaneSettings{.count = 1},
                     [this](postgres::Session& session, std::span<StockLanes::Item* const> items) {
                       const absl::Status status = ExecuteStockBatch(memory_, session, items);
                       return status.ok() ? absl::InternalError("broken") : status;
                     });
  EXPECT_FALSE(
      Start(failing, "TENT", ReserveOf("r-1", {Of("TENT", 1)}), testing::ContextOf("acme")).get().ok());
  ReserveCommand late{.reservation_id = "r-2", .lines = {Of("TENT", 1)}};
  EXPECT_FALSE(memory_.sold_out.Refusal(TenantId::Trusted("acme"), late, MonotonicNow()).has_value());
}

TEST_F(HoldsTest, ExpiredHoldsComeBackByThemselves) {
  for (const char* tenant : {"acme", "globex"}) {
    ASSERT_TRUE(Adjust("TENT", 10, "MAIN", AdjustmentId::New(), "RECEIVED", tenant).ok());
    for (int i = 0; i < 5; ++i) {
      ReserveCommand command{
          .reservation_id = "r-" + std::to_string(i), .lines = {Of("TENT", 2)}, .hold = -absl::Seconds(1)};
      ASSERT_TRUE(Do(command, tenant).ok());
    }
  }
  postgres::Pool pool(database_.Connection(), postgres::PoolSettings{});
  StockRoom room(database_.Connection(), postgres::LaneSettings{}, StockRoomSettings{});
  Expirer expirer(loop_.io(), pool, room, absl::Milliseconds(20));
  expirer.Start();
  while (database_.Query("SELECT count(*) FROM inventory.reservation WHERE status = 'HELD'") != "0") {
  }
  expirer.Stop();
  room.Stop();
  pool.Stop();
  EXPECT_EQ(database_.Query("SELECT sum(reserved) FROM inventory.inventory_stock"), "0");
  EXPECT_EQ(
      database_.Query(
          "SELECT count(*) FROM outbox.event WHERE type = 'ecommerce.inventory.reservation.expired.v1'"),
      "10");
  EXPECT_EQ(LedgerGaps(), "0");
}

}  // namespace
}  // namespace bv::inventory
