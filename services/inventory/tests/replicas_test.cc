// Several lane sets on one database, as several replicas are.
#include "services/inventory/tests/stock_fixture.h"

namespace bv::inventory {
namespace {

using ReplicasTest = StockFixture;

// Two replicas of the service: the rows' locks, not the lanes, keep them apart. Buyers order the SKUs
// differently on purpose.
TEST_F(ReplicasTest, SeveralLaneSetsStayRight) {
  StockLanes other("stock", database_.Connection(), {.count = 2},
                   std::bind_front(ExecuteStockBatch, std::ref(memory_)));
  const std::vector<std::string> skus{"A", "B", "C", "D"};
  for (const std::string& sku : skus) ASSERT_TRUE(Adjust(sku, 100).ok());
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::string& first = skus[i % 4];
    const std::string& second = skus[(i + 1 + i / 4 % 3) % 4];
    StockLanes& lanes = i % 2 == 0 ? *lanes_ : other;
    answers.push_back(Start(lanes, first, ReserveOf("r-" + std::to_string(i), {Of(first, 1), Of(second, 1)}),
                            testing::ContextOf("acme")));
  }
  int sold = 0;
  for (Answer& answer : answers) {
    const absl::StatusOr<Outcome> outcome = answer.get();
    if (outcome.ok()) {
      ++sold;
    } else {
      EXPECT_EQ(ErrorReason(outcome.status()), "OUT_OF_STOCK") << outcome.status();
    }
  }
  EXPECT_EQ(Count("inventory.reservation"), std::to_string(sold));
  EXPECT_EQ(database_.Query("SELECT sum(reserved) FROM inventory.inventory_stock"), std::to_string(2 * sold));
  EXPECT_EQ(database_.Query("SELECT bool_and(reserved <= on_hand) FROM inventory.inventory_stock"), "t");
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
}

// A caller that repeats a request may reach another replica while the first still works on it.
TEST_F(ReplicasTest, TheSameRequestOnTwoReplicasIsOne) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Adjust("MUG", 10).ok());
  std::vector<std::unique_ptr<StockLanes>> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.push_back(std::make_unique<StockLanes>("stock", database_.Connection(),
                                                    postgres::LaneSettings{.count = 1},
                                                    std::bind_front(ExecuteStockBatch, std::ref(memory_))));
  }
  std::vector<Answer> same, differ;
  const AdjustmentId key = AdjustmentId::DerivedFrom({"key-1"});
  HoldStockUntilLocksWait(4, [&] {
    same.push_back(
        Start(*replicas[0], "TENT", ReserveOf("r-1", {Of("TENT", 4)}), testing::ContextOf("acme")));
    same.push_back(
        Start(*replicas[1], "TENT", ReserveOf("r-1", {Of("TENT", 4)}), testing::ContextOf("acme")));
    differ.push_back(
        Start(*replicas[2], "MUG", AdjustOf("MUG", 1, "MAIN", key, "FOUND"), testing::ContextOf("acme")));
    differ.push_back(
        Start(*replicas[3], "TENT", AdjustOf("TENT", 1, "MAIN", key, "FOUND"), testing::ContextOf("acme")));
  });
  for (Answer& answer : same) {
    const absl::StatusOr<Outcome> held = answer.get();
    ASSERT_TRUE(held.ok()) << held.status();
    EXPECT_EQ(LinesOf(held->reservation.allocations), (std::vector<Line>{Of("TENT", 4)}));
  }
  int reused = 0;
  for (Answer& answer : differ)
    reused += ErrorReason(answer.get().status()) == "IDEMPOTENCY_KEY_REUSED" ? 1 : 0;
  EXPECT_EQ(reused, 1);
  EXPECT_EQ(database_.Query("SELECT sum(on_hand) || '/' || sum(reserved) FROM inventory.inventory_stock"),
            "21/4");
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
}

TEST_F(ReplicasTest, ABatchWhoseCommitWasNotHeardCountsOnce) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  std::atomic<int> cuts{1};
  StockLanes lanes("stock", database_.Connection(), {.count = 1},
                   [&](postgres::Session& session, std::span<StockLanes::Item* const> items) {
                     const absl::Status status = ExecuteStockBatch(memory_, session, items);
                     if (cuts-- > 0) database_.CommitUnheard(session);
                     return status;
                   });
  const absl::StatusOr<Outcome> held =
      Start(lanes, "TENT", ReserveOf("r-1", {Of("TENT", 4)}), testing::ContextOf("acme")).get();
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(LinesOf(held->reservation.allocations), (std::vector<Line>{Of("TENT", 4)}));
  EXPECT_EQ(Stock("TENT"), "MAIN 10/4 v2");
  cuts = 1;
  const absl::StatusOr<Outcome> added =
      Start(lanes, "TENT", AdjustOf("TENT", 5, "MAIN", AdjustmentId::New(), "FOUND"),
            testing::ContextOf("acme"))
          .get();
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->shelf.available(), 11);
  EXPECT_EQ(Stock("TENT"), "MAIN 15/4 v3");
  EXPECT_EQ(Count("outbox.event"), "3");
  EXPECT_EQ(LedgerGaps(), "0");
}

// Whoever waited for a reservation sees its lines as the other batch left them, not as they were before the
// wait.
TEST_F(ReplicasTest, AHoldThatIsChangedByTwoReplicasAtOnceIsRight) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  StockLanes other("stock", database_.Connection(), {.count = 1},
                   std::bind_front(ExecuteStockBatch, std::ref(memory_)));
  const auto hold = [](std::int64_t qty, std::int64_t version) {
    HoldCommand command{.reservation_id = "hold-1",
                        .cart_id = "crt_1",
                        .sku = SkuCode::Trusted("TENT"),
                        .qty = qty,
                        .hold = absl::Minutes(15),
                        .item_version = version};
    return Command(std::move(command));
  };
  ASSERT_TRUE(Start(*lanes_, "TENT", hold(2, 1), testing::ContextOf("acme")).get().ok());
  for (std::int64_t version = 2; version < 20; version += 2) {
    std::vector<Answer> answers;
    HoldStockUntilLocksWait(2, [&] {
      answers.push_back(Start(*lanes_, "TENT", hold(version % 3 + 1, version), testing::ContextOf("acme")));
      answers.push_back(Start(other, "TENT", hold(version % 5 + 1, version + 1), testing::ContextOf("acme")));
    });
    for (Answer& answer : answers) EXPECT_TRUE(answer.get().ok());
    EXPECT_EQ(HeldGaps(), "0") << "version " << version;
  }
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(ReplicasTest, WhatTwoReplicasShipAtOnceIsNotMoreThanThereIs) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  StockLanes other("stock", database_.Connection(), {.count = 1},
                   std::bind_front(ExecuteStockBatch, std::ref(memory_)));
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 4)}).ok());
  ASSERT_TRUE(Reserve("r-2", {Of("TENT", 5)}).ok());
  ASSERT_TRUE(Start(*lanes_, "r-1", CommitCommand{"r-1"}, testing::ContextOf("acme")).get().ok());
  std::vector<Answer> answers;
  HoldStockUntilLocksWait(2, [&] {
    ShipCommand first{.reservation_id = "r-1", .shipment_id = "s-1", .lines = {Of("TENT", 3)}};
    ShipCommand second{.reservation_id = "r-1", .shipment_id = "s-2", .lines = {Of("TENT", 3)}};
    answers.push_back(Start(*lanes_, "TENT", first, testing::ContextOf("acme")));
    answers.push_back(Start(other, "TENT", second, testing::ContextOf("acme")));
  });
  int shipped = 0;
  for (Answer& answer : answers) shipped += answer.get().ok() ? 1 : 0;
  EXPECT_EQ(shipped, 1);
  EXPECT_EQ(database_.Query("SELECT on_hand || '/' || reserved FROM inventory.inventory_stock"), "7/6");
  EXPECT_EQ(LedgerGaps(), "0");
}

}  // namespace
}  // namespace bv::inventory
