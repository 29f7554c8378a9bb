#include "libs/base/error.h"
#include "services/inventory/tests/stock_fixture.h"

namespace bv::inventory {
namespace {

using StockLanesTest = StockFixture;

TEST_F(StockLanesTest, TheFirstAdjustmentMakesTheStock) {
  const absl::StatusOr<Outcome> outcome = Adjust("TENT", 10);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->shelf.available(), 10);
  EXPECT_EQ(outcome->shelf.product, ProductId::DerivedFrom({"TENT"}));
  EXPECT_EQ(Stock("TENT"), "MAIN 10/0 v1");
  EXPECT_EQ(ErrorReason(Adjust("TENT", -11).status()), "STOCK_NEGATIVE");
  EXPECT_EQ(ErrorReason(Adjust("MUG", -1).status()), "STOCK_NEGATIVE");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/0 v1");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(StockLanesTest, ReservesAllLinesOrNone) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Adjust("MUG", 1).ok());
  const absl::Status refused = Reserve("r-1", {Of("TENT", 2), Of("MUG", 2)}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(refused), "OUT_OF_STOCK");
  EXPECT_EQ(GetErrorDetail(refused).field, "lines[1].qty");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/0 v1");
  EXPECT_EQ(Count("inventory.reservation"), "0");
  const absl::StatusOr<Outcome> held = Reserve("r-1", {Of("TENT", 2), Of("MUG", 1)});
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(held->reservation.state, ReservationState::kHeld);
  EXPECT_EQ(Stock("TENT"), "MAIN 10/2 v2");
  EXPECT_EQ(Stock("MUG"), "MAIN 1/1 v2");
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
}

TEST_F(StockLanesTest, AnUnknownSkuIsOutOfStock) {
  EXPECT_EQ(ErrorReason(Reserve("r-1", {Of("NONE", 1)}).status()), "OUT_OF_STOCK");
}

TEST_F(StockLanesTest, TheHoldEndsByTheDatabasesClock) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  const absl::StatusOr<Outcome> held = Reserve("r-1", {Of("TENT", 1)});
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(database_.Query("SELECT expires_at - created_at FROM inventory.reservation"), "00:15:00");
  EXPECT_EQ(
      database_.Query("SELECT (extract(epoch FROM expires_at) * 1e6)::bigint FROM inventory.reservation"),
      std::to_string(absl::ToUnixMicros(held->reservation.expires_at)));
}

TEST_F(StockLanesTest, SplitsALineOverLocations) {
  ASSERT_TRUE(Adjust("TENT", 3, "B").ok());
  ASSERT_TRUE(Adjust("TENT", 2, "A").ok());
  const absl::StatusOr<Outcome> held = Reserve("r-1", {Of("TENT", 4)});
  ASSERT_TRUE(held.ok()) << held.status();
  ASSERT_EQ(held->reservation.allocations.size(), 2u);
  EXPECT_EQ(Stock("TENT"), "A 2/2 v2, B 3/2 v2");
  EXPECT_EQ(ErrorReason(Reserve("r-2", {Of("TENT", 2)}).status()), "OUT_OF_STOCK");
  ASSERT_TRUE(Release("r-1").ok());
  EXPECT_EQ(Stock("TENT"), "A 2/0 v3, B 3/0 v3");
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(StockLanesTest, TheSameReservationAgainIsTheSame) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Adjust("MUG", 10).ok());
  const absl::StatusOr<Outcome> first = Reserve("r-1", {Of("TENT", 2), Of("MUG", 1)});
  const absl::StatusOr<Outcome> again = Reserve("r-1", {Of("MUG", 1), Of("TENT", 2)});
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->reservation.expires_at, first->reservation.expires_at);
  EXPECT_EQ(LinesOf(again->reservation.allocations), LinesOf(first->reservation.allocations));
  EXPECT_EQ(Stock("TENT"), "MAIN 10/2 v2");
  EXPECT_EQ(Count("outbox.event"), "4");
}

// By then it would be refused, were it new.
TEST_F(StockLanesTest, TheSameReservationAgainIsTheSameWhenTooLittleIsLeft) {
  ASSERT_TRUE(Adjust("TENT", 3).ok());
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 2)}).ok());
  EXPECT_EQ(ErrorReason(Reserve("r-2", {Of("TENT", 2)}).status()), "OUT_OF_STOCK");
  const absl::StatusOr<Outcome> again = Reserve("r-1", {Of("TENT", 2)});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(LinesOf(again->reservation.allocations), (std::vector<Line>{Of("TENT", 2)}));
  EXPECT_EQ(Stock("TENT"), "MAIN 3/2 v2");
}

TEST_F(StockLanesTest, AnotherReservationUnderTheIdIsRefused) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 2)}).ok());
  EXPECT_EQ(Reserve("r-1", {Of("TENT", 3)}).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorReason(Reserve("r-1", {Of("MUG", 2)}).status()), "RESERVATION_MISMATCH");
  const absl::Status of_other = Start(*lanes_, "TENT", ReserveOf("r-1", {Of("TENT", 2)}, "user-2"),
                                      testing::ContextOf("acme", "user-2"))
                                    .get()
                                    .status();
  EXPECT_EQ(ErrorReason(of_other), "RESERVATION_MISMATCH");
  EXPECT_EQ(Stock("TENT"), "MAIN 10/2 v2");
}

TEST_F(StockLanesTest, ReleaseGivesBackOnce) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 2)}).ok());
  ASSERT_TRUE(Reserve("r-2", {Of("TENT", 3)}).ok());
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<Outcome> released = Release("r-1");
    ASSERT_TRUE(released.ok()) << released.status();
    EXPECT_EQ(released->reservation.state, ReservationState::kReleased);
    EXPECT_EQ(Stock("TENT"), "MAIN 10/3 v4");
  }
  const absl::StatusOr<Outcome> again = Reserve("r-1", {Of("TENT", 2)});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->reservation.state, ReservationState::kReleased)
      << "a late repeat does not take the stock again";
  EXPECT_EQ(Stock("TENT"), "MAIN 10/3 v4");
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
}

TEST_F(StockLanesTest, ReleaseFindsOnlyWhatIsThereAndTheCallers) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 2)}).ok());
  for (const absl::Status& status :
       {Release("r-9").status(), Release("r-1", "user-2").status(), Release("r-1", "", "globex").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ErrorReason(status), "RESERVATION_NOT_FOUND");
  }
  EXPECT_TRUE(Release("r-1", "user-1").ok());
}

TEST_F(StockLanesTest, AnAdjustmentCountsOnceByItsKey) {
  const AdjustmentId id = AdjustmentId::DerivedFrom({"acme", "staff-1", "key-1"});
  ASSERT_TRUE(Adjust("TENT", 10, "MAIN", id).ok());
  const absl::StatusOr<Outcome> again = Adjust("TENT", 10, "MAIN", id);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->shelf.available(), 10);
  EXPECT_EQ(Stock("TENT"), "MAIN 10/0 v1");
  for (const absl::Status& status :
       {Adjust("TENT", 11, "MAIN", id).status(), Adjust("TENT", 10, "B", id).status(),
        Adjust("MUG", 10, "MAIN", id).status(), Adjust("TENT", 10, "MAIN", id, "FOUND").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ErrorReason(status), "IDEMPOTENCY_KEY_REUSED");
  }
  EXPECT_EQ(Count("inventory.inventory_adjustment"), "1");
}

TEST_F(StockLanesTest, NobodyBuysWhatIsGone) {
  ASSERT_TRUE(Adjust("TENT", 100).ok());
  // 64 buyers want four each: 25 get them.
  std::vector<Answer> answers;
  for (int i = 0; i < 64; ++i) answers.push_back(StartReserve("r-" + std::to_string(i), {Of("TENT", 4)}));
  int sold = 0;
  for (Answer& answer : answers) {
    const absl::StatusOr<Outcome> outcome = answer.get();
    if (outcome.ok()) {
      sold += 4;
    } else {
      EXPECT_EQ(ErrorReason(outcome.status()), "OUT_OF_STOCK");
    }
  }
  EXPECT_EQ(sold, 100);
  EXPECT_EQ(Stock("TENT").substr(0, 12), "MAIN 100/100");
  EXPECT_EQ(LedgerGaps(), "0");
  EXPECT_EQ(HeldGaps(), "0");
}

TEST_F(StockLanesTest, OneEventForASkuAndABatch) {
  ASSERT_TRUE(Adjust("TENT", 100).ok());
  ASSERT_TRUE(Adjust("MUG", 100).ok());
  database_.Query("DELETE FROM outbox.event");
  // One batch of known content: three reservations and a release of one of them.
  postgres::Session session(database_.Connection(), postgres::Plans::kIndexOnly);
  std::vector<StockLanes::Item> items;
  for (int i = 0; i < 3; ++i) {
    items.push_back({.request = ReserveOf("r-" + std::to_string(i), {Of("TENT", 2), Of("MUG", 1)}),
                     .context = testing::ContextOf("acme")});
  }
  items.push_back(
      {.request = ReleaseCommand{.reservation_id = "r-1"}, .context = testing::ContextOf("acme")});
  std::vector<StockLanes::Item*> batch;
  for (StockLanes::Item& item : items) batch.push_back(&item);
  ASSERT_TRUE(session
                  .Transact({TenantId::Trusted("acme")},
                            [&](postgres::Session& s) { return ExecuteStockBatch(memory_, s, batch); })
                  .ok());
  for (const StockLanes::Item& item : items) EXPECT_TRUE(item.answer.ok()) << item.answer.status();

  EXPECT_EQ(Count("outbox.event"), "2");
  const std::string product = ProductId::DerivedFrom({"TENT"}).str();
  const auto of_tent = [&](const std::string& expression) {
    return database_.Query("SELECT " + expression + " FROM outbox.event WHERE aggregateid = '" + product +
                           "'");
  };
  EXPECT_EQ(of_tent("aggregatetype || ' ' || type"),
            "ecommerce.inventory.stock ecommerce.inventory.stock.adjusted.v1");
  EXPECT_EQ(of_tent("payload::json ->> 'producer'"), "inventory-service");
  EXPECT_EQ(of_tent("payload::json ->> 'partitionKey'"), product);
  EXPECT_EQ(
      of_tent("payload::json ->> 'payload'"),
      R"({"productId":")" + product +
          R"(","sku":"TENT","delta":-4,"reason":"MIXED","locations":[{"locationCode":"MAIN","onHand":100,"reserved":4,"available":96,"version":2}]})");
  EXPECT_EQ(of_tent("aggregate_version"), "2");
  EXPECT_EQ(Count("inventory.inventory_adjustment"), "10") << "2 received, 6 reserved, 2 released";
  EXPECT_EQ(LedgerGaps(), "0");
}

TEST_F(StockLanesTest, ARefusalLeavesNoTrace) {
  ASSERT_TRUE(Adjust("TENT", 1).ok());
  EXPECT_FALSE(Reserve("r-1", {Of("TENT", 2)}).ok());
  EXPECT_EQ(Count("outbox.event"), "1");
  EXPECT_EQ(Count("inventory.inventory_adjustment"), "1");
  EXPECT_EQ(Count("inventory.reservation_line"), "0");
}

TEST_F(StockLanesTest, TenantsDoNotSeeEachOther) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  EXPECT_EQ(ErrorReason(Reserve("r-1", {Of("TENT", 1)}, "globex").status()), "OUT_OF_STOCK");
  ASSERT_TRUE(Adjust("TENT", 5, "MAIN", AdjustmentId::New(), "RECEIVED", "globex").ok());
  // The same ids in both, at once, so that they share batches.
  std::vector<Answer> answers;
  for (int i = 0; i < 20; ++i) {
    for (const char* tenant : {"acme", "globex"})
      answers.push_back(StartReserve("r-" + std::to_string(i), {Of("TENT", 1)}, tenant));
  }
  int sold = 0;
  for (Answer& answer : answers) sold += answer.get().ok() ? 1 : 0;
  EXPECT_EQ(sold, 15);
  EXPECT_EQ(Stock("TENT", "acme").substr(0, 10), "MAIN 10/10");
  EXPECT_EQ(Stock("TENT", "globex").substr(0, 8), "MAIN 5/5");
  EXPECT_EQ(database_.Query(
                "SELECT count(*) FROM outbox.event WHERE tenant_id = 'acme' AND payload LIKE '%onHand\":5%'"),
            "0");
}

// What the code forgets, the database still holds: a session under the service's own role, without a tenant
// or with another one.
TEST_F(StockLanesTest, RowsAreHiddenFromRawSql) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Reserve("r-1", {Of("TENT", 1)}).ok());
  postgres::Session session(database_.Connection(), postgres::Plans::kDefault);
  for (const std::vector<TenantId>& tenants : {std::vector<TenantId>{}, {TenantId::Trusted("globex")}}) {
    const absl::Status status = session.Read(tenants, [](postgres::Session& s) {
      static constexpr postgres::Statement kCounts{"test_counts", R"sql(
        SELECT (SELECT count(*) FROM inventory_stock) + (SELECT count(*) FROM inventory_adjustment)
             + (SELECT count(*) FROM reservation) + (SELECT count(*) FROM reservation_line)
      )sql"};
      EXPECT_EQ(s.Exec(kCounts)[0][0].as<int>(), 0);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST_F(StockLanesTest, TheTableItselfRefusesToOversell) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  EXPECT_THROW(database_.Query("UPDATE inventory.inventory_stock SET reserved = 11"), pqxx::check_violation);
}

}  // namespace
}  // namespace bv::inventory
