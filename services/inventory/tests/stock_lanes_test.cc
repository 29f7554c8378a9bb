// The stock lanes against a real database. Free of gRPC, so that they can run under the thread sanitizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "libs/base/error.h"
#include "libs/testing/testing.h"
#include "services/inventory/store/stock_batch.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

using Answer = std::future<absl::StatusOr<Outcome>>;

class StockLanesTest : public ::testing::Test {
 protected:
  StockLanesTest() {
    lanes_.emplace("stock", database_.Connection(), postgres::LaneSettings{.count = 2}, ExecuteStockBatch);
  }

  static async::Task<absl::StatusOr<Outcome>> SubmitTo(StockLanes& lanes, std::string key, Command command,
                                                       RequestContext context) {
    co_return co_await lanes.Submit(key, std::move(command), std::move(context));
  }
  Answer Start(StockLanes& lanes, const std::string& key, Command command, RequestContext context) {
    return boost::asio::co_spawn(loop_.io(), SubmitTo(lanes, key, std::move(command), std::move(context)),
                                 boost::asio::use_future);
  }

  static Command ReserveOf(const std::string& id, std::vector<Line> lines,
                           const std::string& user = "user-1") {
    ReserveCommand command{
        .reservation_id = id, .user_id = user, .lines = std::move(lines), .hold = absl::Minutes(15)};
    return command;
  }
  static Command AdjustOf(const std::string& sku, std::int64_t delta, const std::string& location,
                          AdjustmentId id, const char* reason) {
    AdjustCommand command{.adjustment_id = std::move(id),
                          .user_id = "staff-1",
                          .sku = SkuCode::Trusted(sku),
                          .product = ProductId::DerivedFrom({sku}),
                          .location = LocationCode::Trusted(location),
                          .delta = delta,
                          .reason = ReasonCode::Trusted(reason)};
    return command;
  }
  Answer StartReserve(const std::string& id, std::vector<Line> lines, const std::string& tenant = "acme") {
    const std::string key = lines.front().sku.str();
    return Start(*lanes_, key, ReserveOf(id, std::move(lines)), testing::ContextOf(tenant));
  }
  absl::StatusOr<Outcome> Reserve(const std::string& id, std::vector<Line> lines,
                                  const std::string& tenant = "acme") {
    return StartReserve(id, std::move(lines), tenant).get();
  }
  absl::StatusOr<Outcome> Release(const std::string& id, const std::string& user = "",
                                  const std::string& tenant = "acme") {
    ReleaseCommand command{.reservation_id = id, .user_id = user};
    return Start(*lanes_, id, std::move(command), testing::ContextOf(tenant)).get();
  }
  absl::StatusOr<Outcome> Adjust(const std::string& sku, std::int64_t delta,
                                 const std::string& location = "MAIN", AdjustmentId id = AdjustmentId::New(),
                                 const char* reason = "RECEIVED", const std::string& tenant = "acme") {
    return Start(*lanes_, sku, AdjustOf(sku, delta, location, std::move(id), reason),
                 testing::ContextOf(tenant))
        .get();
  }

  // "MAIN 10/3 v2": location, on hand / reserved, version.
  std::string Stock(const std::string& sku, const std::string& tenant = "acme") const {
    return database_.Query(
        "SELECT string_agg(format('%s %s/%s v%s', location_code, on_hand, reserved, version), ', ' ORDER BY "
        "location_code)"
        " FROM inventory.inventory_stock WHERE sku = '" +
        sku + "' AND tenant_id = '" + tenant + "'");
  }
  std::string Count(const std::string& table) const {
    return database_.Query("SELECT count(*) FROM " + table);
  }
  // Places whose quantities are not the sum of their ledger.
  std::string LedgerGaps() const {
    return database_.Query(R"sql(
      SELECT count(*) FROM inventory.inventory_stock s
      FULL JOIN (SELECT tenant_id, sku, location_code, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved
                 FROM inventory.inventory_adjustment GROUP BY 1, 2, 3) l USING (tenant_id, sku, location_code)
      WHERE (s.on_hand, s.reserved) IS DISTINCT FROM (l.on_hand, l.reserved))sql");
  }
  // Holds reserved by lines of reservations that are held, against what the stock says.
  std::string HeldGaps() const {
    return database_.Query(R"sql(
      SELECT count(*) FROM inventory.inventory_stock s
      LEFT JOIN (SELECT l.tenant_id, l.sku, l.location_code, sum(l.qty) AS held
                 FROM inventory.reservation_line l JOIN inventory.reservation r USING (tenant_id, reservation_id)
                 WHERE r.status = 'HELD' GROUP BY 1, 2, 3) h USING (tenant_id, sku, location_code)
      WHERE s.reserved <> coalesce(h.held, 0))sql");
  }

  // Locks all stock, calls `start`, and lets go when so many transactions wait for a lock.
  void HoldStockUntilLocksWait(int waiting, const std::function<void()>& start) {
    pqxx::connection connection(database_.superuser_url());
    pqxx::work transaction(connection);
    transaction.exec("SELECT FROM inventory.inventory_stock FOR UPDATE");
    start();
    while (database_.Query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                           "wait_event_type = 'Lock'") != std::to_string(waiting)) {
    }
  }

  static Line Of(const std::string& sku, std::int64_t qty) { return {SkuCode::Trusted(sku), qty}; }

  testing::Database database_{"inventory"};
  testing::Loop loop_;
  std::optional<StockLanes> lanes_;
};

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

// Two replicas of the service: the rows' locks, not the lanes, keep them apart. Buyers order the SKUs
// differently on purpose.
TEST_F(StockLanesTest, SeveralLaneSetsStayRight) {
  StockLanes other("stock", database_.Connection(), {.count = 2}, ExecuteStockBatch);
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
TEST_F(StockLanesTest, TheSameRequestOnTwoReplicasIsOne) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  ASSERT_TRUE(Adjust("MUG", 10).ok());
  std::vector<std::unique_ptr<StockLanes>> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.push_back(std::make_unique<StockLanes>("stock", database_.Connection(),
                                                    postgres::LaneSettings{.count = 1}, ExecuteStockBatch));
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

TEST_F(StockLanesTest, ABatchWhoseCommitWasNotHeardCountsOnce) {
  ASSERT_TRUE(Adjust("TENT", 10).ok());
  std::atomic<int> cuts{1};
  StockLanes lanes("stock", database_.Connection(), {.count = 1},
                   [&](postgres::Session& session, std::span<StockLanes::Item* const> items) {
                     const absl::Status status = ExecuteStockBatch(session, items);
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
                            [&](postgres::Session& s) { return ExecuteStockBatch(s, batch); })
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
