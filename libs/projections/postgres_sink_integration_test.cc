#include <gtest/gtest.h>

#include <future>

#include "libs/projections/postgres_fixture_test.h"

namespace bv::projections {
namespace {

class PostgresSinkTest : public PostgresTest {};

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
  EXPECT_TRUE(absl::IsNotFound(sink.PositionsOf(SumProjection()).status()));
}

// What a relay wrote before it died, and what it wrote again after it.
TEST_F(PostgresSinkTest, AnEventThatStandsTwiceInATopicCountsOnce) {
  const Projection projection = SumProjection();
  std::mt19937 random(20261122);
  const std::vector<SourcedChange> log = RandomLog(projection, random, 60);
  std::vector<SourcedChange> twice(log.begin(), log.begin() + 40);
  std::map<Partition, std::int64_t> ends;
  for (const SourcedChange& sourced : twice) ends[sourced.partition] = sourced.offset + 1;
  for (auto again = log.begin() + 25; again != log.end(); ++again) {
    twice.push_back(*again);
    twice.back().offset = ends[again->partition]++;
  }
  for (const std::size_t at_once : {7, 100}) {
    Query("TRUNCATE analytics.test_sums, analytics.projection_position, analytics.projection_event");
    const auto sink = NewSink();
    for (std::size_t i = 0; i < twice.size(); i += at_once)
      ASSERT_TRUE(sink->Apply(projection, BatchOf(twice, i, std::min(i + at_once, twice.size()))).ok());
    EXPECT_EQ(RowsIn(*sink, projection), RowsOf(projection, log)) << at_once << " at once";
  }
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
    log.push_back({{kTestTopic, 0}, i, std::move(change), Concat("event-", i)});
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
