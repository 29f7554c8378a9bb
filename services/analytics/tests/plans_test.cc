// How much of its tables the service reads for an answer when its statements were planned on tables without
// rows.
#include <gtest/gtest.h>

#include "libs/testing/testing.h"
#include "services/analytics/store/order_rows.h"
#include "services/analytics/store/revenue_rows.h"
#include "services/analytics/store/stock_rows.h"

namespace bv::analytics {
namespace {

constexpr int kRows = 1'000;
constexpr int kRounds = 20;
constexpr int kPage = 5;
// What all rounds may read of a table: a page and the row behind it, and what the index shows of rows before.
constexpr int kRowsMax = kRounds * (kPage + 2) * 2;

const TenantId kTenant = TenantId::Trusted("acme");

void ReadAll(postgres::Session& session) {
  const absl::Status read = session.Read({kTenant}, [](postgres::Session& s) {
    EXPECT_LE(ReadOrders(s, kTenant, "user-7", "", kPage).size(), 5u);
    EXPECT_LE(ReadStock(s, kTenant, "", {"SKU-500", "MAIN"}, kPage).size(), 5u);
    EXPECT_LE(ReadStock(s, kTenant, "SKU-7", {}, kPage).size(), 1u);
    EXPECT_LE(ReadDays(s, kTenant, absl::CivilDay(2026, 1, 2), absl::CivilDay(2026, 1, 6), "USD", 100).size(),
              5u);
    EXPECT_LE(ReadMinutes(s, kTenant, absl::FromUnixSeconds(60 * (kRows - 4)), "", 100).size(), 5u);
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
}

TEST(Plans, WhatAnAnswerReadsDoesNotGrowWithTheRows) {
  testing::Database database("analytics");
  database.Query(
      "INSERT INTO analytics.projection SELECT name, 1, 1 FROM unnest(ARRAY['orders_by_customer', "
      "'inventory_snapshot', 'daily_revenue', 'revenue_by_minute']) AS name; ANALYZE");
  {
    postgres::Session session(database.Connection(), postgres::Plans::kIndexOnly);
    ReadAll(session);
    const std::string rows = " FROM generate_series(1, " + std::to_string(kRows) + ") AS i;";
    database.Query(
        "INSERT INTO analytics.orders_by_customer SELECT 'acme', 1, 'user-' || i % 100, 'ord_' || i, 1, 1, "
        "'USD', now(), 1, 'PAID', 'PAID', 'SHIPPED', now()" +
        rows +
        "INSERT INTO analytics.inventory_snapshot SELECT 'acme', 1, 'SKU-' || i, 'MAIN', 1, 'p', 1, 0, 1, "
        "now()" +
        rows +
        "INSERT INTO analytics.daily_revenue SELECT 'acme', 1, date '2026-01-01' + i, 'USD', 1, 1, 0, 0" +
        rows +
        "INSERT INTO analytics.revenue_by_minute SELECT 'acme', 1, to_timestamp(60 * i), 'USD', 1, 1, 0, 0" +
        rows);
    for (int i = 0; i < kRounds; ++i) ReadAll(session);
  }
  EXPECT_EQ(database.TablesReadTooMuch("analytics", kRowsMax), "");
}

}  // namespace
}  // namespace bv::analytics
