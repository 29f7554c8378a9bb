// Inside the tests of libs/projections: the tables of the test projections in a database of their own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/projections/postgres_sink.h"
#include "libs/projections/test_projection.h"
#include "libs/testing/testing.h"

namespace bv::projections {

class PostgresTest : public ::testing::Test {
 protected:
  PostgresTest() : database_("analytics") {
    Query(R"sql(
      CREATE TABLE analytics.test_facets (
        tenant_id text NOT NULL, rows_version int NOT NULL, name text NOT NULL, number bigint NOT NULL,
        what_version bigint NOT NULL, title text, since date,
        state_version bigint NOT NULL, status text, amount bigint, changed_at timestamptz,
        PRIMARY KEY (tenant_id, rows_version, name, number));
      CREATE TABLE analytics.test_sums (
        tenant_id text NOT NULL, rows_version int NOT NULL, day date NOT NULL, minute timestamptz NOT NULL,
        amount bigint NOT NULL, orders bigint NOT NULL,
        PRIMARY KEY (tenant_id, rows_version, day, minute))
    )sql");
    for (const char* table : {"analytics.test_facets", "analytics.test_sums"}) {
      Query(std::string("ALTER TABLE ") + table + " OWNER TO bv_analytics; ALTER TABLE " + table +
            " ENABLE ROW LEVEL SECURITY; ALTER TABLE " + table + " FORCE ROW LEVEL SECURITY; " +
            "CREATE POLICY tenant ON " + table +
            " USING (tenant_id = ANY ((SELECT string_to_array(current_setting('bv.tenants', true), "
            "','))::text[])); CREATE POLICY background ON " +
            table + " FOR SELECT USING (current_setting('bv.tenants', true) = '*')");
    }
  }

  std::string Query(const std::string& sql) const { return database_.Query(sql); }
  testing::Database& database() { return database_; }

  std::unique_ptr<PostgresSink> NewSink(std::optional<int> rows_version = std::nullopt) {
    auto sink = std::make_unique<PostgresSink>(database_.Connection(), rows_version);
    for (const Projection& projection : {FacetProjection(), SumProjection()})
      EXPECT_TRUE(sink->Register(projection).ok());
    return sink;
  }

  static RowMap RowsIn(ReadModel& sink, const Projection& projection) {
    RowMap rows;
    const auto positions =
        sink.Scan(projection, [&rows](const Row& row) { rows.emplace(RowKey(row.tenant, row.key), row); });
    EXPECT_TRUE(positions.ok()) << positions.status();
    return rows;
  }

 private:
  testing::Database database_;
};

// The messages [from, until) of a log as one batch.
inline Batch BatchOf(const std::vector<SourcedChange>& log, std::size_t from, std::size_t until) {
  Batch batch;
  for (std::size_t i = from; i < until; ++i) {
    batch.changes.push_back(log[i]);
    batch.positions[log[i].partition] = log[i].offset + 1;
  }
  return batch;
}

}  // namespace bv::projections
