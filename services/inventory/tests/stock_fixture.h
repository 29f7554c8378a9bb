// The stock lanes against a real database. Free of gRPC, so that they can run under the thread sanitizer.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "libs/base/error.h"
#include "libs/testing/testing.h"
#include "services/inventory/store/stock_batch.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {

using Answer = std::future<absl::StatusOr<Outcome>>;

class StockFixture : public ::testing::Test {
 protected:
  StockFixture() {
    lanes_.emplace("stock", database_.Connection(), postgres::LaneSettings{.count = 2},
                   std::bind_front(ExecuteStockBatch, std::ref(memory_)));
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
  StockMemory memory_{.sold_out = SoldOut(absl::Milliseconds(200)), .demand = Demand(200)};
  std::optional<StockLanes> lanes_;
};

}  // namespace bv::inventory
