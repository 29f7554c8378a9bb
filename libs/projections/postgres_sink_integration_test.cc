#include <gtest/gtest.h>

#include <future>

#include "libs/projections/postgres_sink.h"
#include "libs/projections/test_projection.h"
#include "libs/testing/testing.h"

namespace bv::projections {
namespace {

class PostgresSinkTest : public ::testing::Test {
 protected:
  PostgresSinkTest() : database_("analytics") {
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
Batch BatchOf(const std::vector<SourcedChange>& log, std::size_t from, std::size_t until) {
  Batch batch;
  for (std::size_t i = from; i < until; ++i) {
    batch.changes.push_back(log[i]);
    batch.positions[log[i].partition] = log[i].offset + 1;
  }
  return batch;
}

// The log in batches of any size; after each the reader may fall back, as after a crash or a rebalance, and
// the sink may be a new one.
void ApplyWithRepeats(const Projection& projection, const std::vector<SourcedChange>& log,
                      std::mt19937& random, const std::function<std::unique_ptr<PostgresSink>()>& new_sink) {
  std::unique_ptr<PostgresSink> sink = new_sink();
  std::size_t at = 0;
  while (at < log.size()) {
    const std::size_t until = std::min(log.size(), at + 1 + random() % 20);
    const absl::Status applied = sink->Apply(projection, BatchOf(log, at, until));
    ASSERT_TRUE(applied.ok()) << applied;
    at = until;
    if (random() % 3 == 0) at -= std::min<std::size_t>(at, random() % 25);
    if (random() % 4 == 0) sink = new_sink();
  }
}

TEST_F(PostgresSinkTest, AnyInterleavingOfDuplicatesAndRestartsGivesTheSameRows) {
  int version = 1;
  for (const Projection& projection : {FacetProjection(), SumProjection()}) {
    for (unsigned seed = 1; seed <= 12; ++seed) {
      std::mt19937 random(seed);
      const std::vector<SourcedChange> log = RandomLog(projection, random, 120);
      // Versions stand beside each other in one table.
      ++version;
      const auto new_sink = [&] { return NewSink(version); };
      ApplyWithRepeats(projection, log, random, new_sink);
      const RowMap rows = RowsIn(*new_sink(), projection);
      ASSERT_EQ(rows, RowsOf(projection, log)) << projection.name << ", seed " << seed;
    }
  }
}

TEST_F(PostgresSinkTest, TwoWritersOfTheSameRowsGiveTheRowsOfOne) {
  for (const Projection& projection : {FacetProjection(), SumProjection()}) {
    std::mt19937 random(7);
    const std::vector<SourcedChange> log = RandomLog(projection, random, 400);
    const auto write = [&](unsigned seed) {
      std::mt19937 own(seed);
      ApplyWithRepeats(projection, log, own, [this] { return NewSink(); });
    };
    std::future<void> other = std::async(std::launch::async, write, 1);
    write(2);
    other.get();
    EXPECT_EQ(RowsIn(*NewSink(), projection), RowsOf(projection, log)) << projection.name;
  }
}

TEST_F(PostgresSinkTest, PositionsAreThoseOfTheRows) {
  const Projection projection = SumProjection();
  std::mt19937 random(3);
  const std::vector<SourcedChange> log = RandomLog(projection, random, 30);
  const auto sink = NewSink();
  ASSERT_TRUE(sink->Apply(projection, BatchOf(log, 0, 30)).ok());
  const auto positions = sink->PositionsOf(projection);
  ASSERT_TRUE(positions.ok()) << positions.status();
  EXPECT_EQ(*positions, BatchOf(log, 0, 30).positions);
  // A batch without a change moves them too; one that is behind does not.
  Batch empty{.positions = {{{kTestTopic, 0}, 1'000}}};
  ASSERT_TRUE(sink->Apply(projection, empty).ok());
  EXPECT_EQ(sink->PositionsOf(projection)->at({kTestTopic, 0}), 1'000);
  ASSERT_TRUE(sink->Apply(projection, BatchOf(log, 0, 10)).ok());
  EXPECT_EQ(sink->PositionsOf(projection)->at({kTestTopic, 0}), 1'000);
  // Those of another version are its own.
  EXPECT_TRUE(NewSink(2)->PositionsOf(projection)->empty());
}

TEST_F(PostgresSinkTest, WhatFailsChangesNeitherRowsNorPositions) {
  const Projection projection = SumProjection();
  std::mt19937 random(3);
  const std::vector<SourcedChange> log = RandomLog(projection, random, 20);
  const auto sink = NewSink();
  Query("ALTER TABLE analytics.test_sums ADD CONSTRAINT refused CHECK (orders < 0) NOT VALID");
  EXPECT_FALSE(sink->Apply(projection, BatchOf(log, 0, 20)).ok());
  EXPECT_TRUE(sink->PositionsOf(projection)->empty());
  Query("ALTER TABLE analytics.test_sums DROP CONSTRAINT refused");
  ASSERT_TRUE(sink->Apply(projection, BatchOf(log, 0, 20)).ok());
  EXPECT_EQ(RowsIn(*sink, projection), RowsOf(projection, log));
}

TEST_F(PostgresSinkTest, WhatDoesNotFitIsRefused) {
  Batch batch{.changes = {{{kTestTopic, 0}, 0, {.tenant = TenantId::Trusted("acme"), .what = Add{{1}}}}},
              .positions = {{{kTestTopic, 0}, 1}}};
  EXPECT_TRUE(absl::IsInvalidArgument(NewSink()->Apply(SumProjection(), batch)));
}

TEST_F(PostgresSinkTest, ALiveSinkFollowsTheSwitch) {
  const Projection projection = SumProjection();
  std::mt19937 random(3);
  const std::vector<SourcedChange> log = RandomLog(projection, random, 40);
  const auto live = NewSink();
  ASSERT_TRUE(live->Apply(projection, BatchOf(log, 0, 20)).ok());
  ASSERT_TRUE(NewSink(2)->Apply(projection, BatchOf(log, 0, 20)).ok());
  Query("UPDATE analytics.projection SET live_version = 2 WHERE name = 'test_sums'");
  ASSERT_TRUE(live->Apply(projection, BatchOf(log, 20, 40)).ok());
  EXPECT_EQ(RowsIn(*live, projection), RowsOf(projection, log));
  const std::vector<SourcedChange> before(log.begin(), log.begin() + 20);
  EXPECT_EQ(RowsIn(*NewSink(1), projection), RowsOf(projection, before));
}

TEST_F(PostgresSinkTest, AnUnregisteredProjectionHasNoLiveRows) {
  PostgresSink sink(database().Connection(), std::nullopt);
  EXPECT_TRUE(absl::IsFailedPrecondition(sink.PositionsOf(SumProjection()).status()));
}

// Statements are planned while the tables are empty; what a batch reads must not grow with them.
TEST_F(PostgresSinkTest, WhatABatchReadsDoesNotGrowWithTheRows) {
  constexpr int kRows = 300, kAtOnce = 20;
  // By inserts that conflict with their keys, each its own row.
  constexpr int kRowsReadOfARow = 4;
  const Projection projection = SumProjection();
  Query("ANALYZE");
  std::vector<SourcedChange> log;
  for (int i = 0; i < 2 * kRows; ++i) {
    Change change{.tenant = TenantId::Trusted("acme"),
                  .key = {absl::CivilDay(2026, 1, 1), absl::FromUnixSeconds(60 * (i % kRows))},
                  .what = Add{{5, 1}}};
    log.push_back({{kTestTopic, 0}, i, std::move(change)});
  }
  {
    const auto sink = NewSink();
    for (int i = 0; i < 2 * kRows; i += kAtOnce)
      ASSERT_TRUE(sink->Apply(projection, BatchOf(log, i, i + kAtOnce)).ok());
  }
  EXPECT_EQ(database().TablesReadTooMuch("analytics", 2 * kRows * kRowsReadOfARow), "");
  EXPECT_EQ(Query("SELECT count(*) FROM analytics.test_sums WHERE orders = 2"), std::to_string(kRows));
}

}  // namespace
}  // namespace bv::projections
