#include <gtest/gtest.h>

#include "commerce/order/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "libs/testing/testing.h"

namespace bv::events {
namespace {

const absl::Time kNoon = absl::FromCivil(absl::CivilSecond(2026, 1, 31, 12, 0, 0), absl::UTCTimeZone()) +
                         absl::Microseconds(123456);

OutboxRow RowOf(std::string_view tenant, const std::string& key, std::int64_t version) {
  commerce::order::v1::OrderCreated event;
  event.set_order_id(key);
  event.set_currency("EUR");
  return MakeRow(event, version, kNoon, testing::ContextOf(tenant)).value();
}

class InsertOutboxTest : public ::testing::Test {
 protected:
  absl::Status Insert(const std::vector<std::string>& tenants, const std::vector<OutboxRow>& rows,
                      absl::Status outcome = absl::OkStatus()) {
    std::vector<TenantId> ids;
    for (const std::string& tenant : tenants) ids.push_back(TenantId::Trusted(tenant));
    return session_.Transact(ids, [&](postgres::Session& session) {
      InsertOutbox(session, rows);
      return outcome;
    });
  }

  testing::Database database_{"order"};
  postgres::Session session_{database_.Connection(), postgres::Plans::kDefault};
};

TEST_F(InsertOutboxTest, StoresEveryColumn) {
  const OutboxRow row = RowOf("acme", "ORDER-1", 3);
  ASSERT_TRUE(Insert({"acme"}, {row}).ok());
  const auto column = [&](const std::string& name) {
    return database_.Query("SELECT " + name + " FROM outbox.event");
  };
  EXPECT_EQ(column("id"), row.id);
  EXPECT_EQ(column("aggregatetype"), "ecommerce.order.order");
  EXPECT_EQ(column("aggregateid"), "ORDER-1");
  EXPECT_EQ(column("type"), "ecommerce.order.order.created.v1");
  EXPECT_EQ(column("payload"), row.payload) << "byte for byte";
  EXPECT_EQ(column("aggregate_version"), "3");
  EXPECT_EQ(column("to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
            "2026-01-31 12:00:00.123456");
  EXPECT_EQ(column("tenant_id"), "acme");
  EXPECT_EQ(column("traceparent"), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
  EXPECT_EQ(column("correlation_id"), "correlation-1");
}

TEST_F(InsertOutboxTest, NumbersTheRowsInTheirOrder) {
  std::vector<OutboxRow> rows;
  for (int i = 0; i < 500; ++i) rows.push_back(RowOf("acme", std::to_string(i * 7919 % 500), i));
  ASSERT_TRUE(Insert({"acme"}, rows).ok());
  EXPECT_EQ(database_.Query("SELECT count(*) FROM outbox.event"), "500");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM (SELECT aggregate_version - lag(aggregate_version) OVER "
                            "(ORDER BY seq) AS step"
                            " FROM outbox.event) AS s WHERE step <> 1"),
            "0");
}

TEST_F(InsertOutboxTest, ARolledBackChangeHasNoEvent) {
  EXPECT_FALSE(Insert({"acme"}, {RowOf("acme", "ORDER-1", 1)}, absl::AbortedError("changed my mind")).ok());
  EXPECT_EQ(database_.Query("SELECT count(*) FROM outbox.event"), "0");
}

TEST_F(InsertOutboxTest, RefusesAnEventOfAnotherTenant) {
  EXPECT_FALSE(Insert({"acme"}, {RowOf("acme", "ORDER-1", 1), RowOf("globex", "ORDER-2", 1)}).ok());
  EXPECT_EQ(database_.Query("SELECT count(*) FROM outbox.event"), "0");
  EXPECT_TRUE(Insert({"acme", "globex"}, {RowOf("acme", "ORDER-1", 1), RowOf("globex", "ORDER-2", 1)}).ok());
}

TEST_F(InsertOutboxTest, NothingIsNothing) {
  EXPECT_TRUE(Insert({"acme"}, {}).ok());
}

}  // namespace
}  // namespace bv::events
