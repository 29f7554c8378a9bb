#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/projections/parity.h"
#include "libs/projections/postgres_fixture_test.h"
#include "libs/projections/postgres_versions.h"

namespace bv::projections {
namespace {

using Log = std::vector<SourcedChange>;

// Everything before `target` as one batch.
Batch BatchUntil(const Log& log, const Positions& target) {
  Batch batch{.positions = target};
  for (const SourcedChange& sourced : log) {
    const auto end = target.find(sourced.partition);
    if (end != target.end() && sourced.offset < end->second) batch.changes.push_back(sourced);
  }
  return batch;
}

class PostgresVersionsTest : public PostgresTest {
 protected:
  PostgresVersions NewVersions() { return PostgresVersions(database().Connection()); }
  std::function<absl::Status(const Positions&)> CatchUp(const Projection& projection, const Log& log,
                                                        int version) {
    return [this, &projection, &log, version](const Positions& target) {
      return NewSink(version)->Apply(projection, BatchUntil(log, target));
    };
  }
  int LiveVersionOf(const Projection& projection) {
    const auto versions = NewVersions().Of(projection);
    EXPECT_TRUE(versions.ok()) << versions.status();
    return versions->live;
  }
};

// The live path and a rebuild over one log, step by step in any order, each falling back and starting anew,
// with switches in between, some of which fail.
class World {
 public:
  World(const Projection& projection, unsigned seed, postgres::ConnectionSettings connection)
      : projection_(projection),
        random_(seed),
        log_(RandomLog(projection, random_, 150)),
        connection_(std::move(connection)),
        versions_(connection_),
        live_(NewSink(std::nullopt)),
        rebuilt_(NewSink(next_version_)) {
    EXPECT_TRUE(live_->Register(projection_).ok());
  }

  void RunToTheEnd() {
    while (live_done_ < log_.size() && !::testing::Test::HasFatalFailure()) {
      Step();
      ExpectLiveRows();
    }
  }

 private:
  std::unique_ptr<PostgresSink> NewSink(std::optional<int> version) const {
    return std::make_unique<PostgresSink>(connection_, version);
  }
  std::size_t Pick(std::size_t limit) { return random_() % limit; }

  void Step() {
    switch (Pick(8)) {
      case 0:
        return Switch();
      case 1:
        live_ = NewSink(std::nullopt);
        return;
      case 2:
        rebuilt_ = NewSink(next_version_);
        return;
      case 3:
      case 4:
        return Apply(*rebuilt_, rebuilt_done_, live_done_);
      default:
        return Apply(*live_, live_done_, log_.size());
    }
  }

  // A batch that begins anywhere in what was applied.
  void Apply(PostgresSink& sink, std::size_t& done, std::size_t end) {
    const std::size_t from = done - std::min(done, Pick(12));
    const std::size_t until = std::min(end, from + 1 + Pick(20));
    const absl::Status applied = sink.Apply(projection_, BatchOf(log_, from, until));
    ASSERT_TRUE(applied.ok()) << applied;
    done = std::max(done, until);
  }

  void Switch() {
    const bool fails = Pick(3) == 0;
    const auto catch_up = [&](const Positions& target) -> absl::Status {
      const absl::Status applied = rebuilt_->Apply(projection_, BatchUntil(log_, target));
      return fails ? absl::UnavailableError("Kafka is away") : applied;
    };
    const absl::Status switched = versions_.Switch(projection_, next_version_, catch_up);
    ASSERT_EQ(switched.ok(), !fails) << switched;
    rebuilt_done_ = live_done_;
    if (fails) return;
    if (Pick(2) == 0) {
      const absl::Status dropped = versions_.Drop(projection_, next_version_ - 1);
      ASSERT_TRUE(dropped.ok()) << dropped;
    }
    rebuilt_ = NewSink(++next_version_);
    rebuilt_done_ = 0;
  }

  void ExpectLiveRows() {
    RowMap rows;
    const auto scanned = NewSink(std::nullopt)->Scan(projection_, [&rows](const Row& row) {
      rows.emplace(RowKey(row.tenant, row.key), row);
    });
    ASSERT_TRUE(scanned.ok()) << scanned.status();
    ASSERT_EQ(rows, RowsOf(projection_, Log(log_.begin(), log_.begin() + live_done_)));
  }

  const Projection projection_;
  std::mt19937 random_;
  const Log log_;
  const postgres::ConnectionSettings connection_;
  PostgresVersions versions_;
  int next_version_ = 2;
  std::unique_ptr<PostgresSink> live_, rebuilt_;
  std::size_t live_done_ = 0, rebuilt_done_ = 0;
};

TEST_F(PostgresVersionsTest, AnyInterleavingOfLivePathRebuildAndSwitchGivesTheSameRows) {
  std::random_device device;
  for (int round = 0; round < 4; ++round) {
    for (const Projection& projection : {FacetProjection(), SumProjection()}) {
      const unsigned seed = device();
      SCOPED_TRACE(projection.name + ", seed " + std::to_string(seed));
      Query(
          "TRUNCATE analytics.projection, analytics.projection_position, analytics.projection_event, "
          "analytics." +
          projection.name);
      World(projection, seed, database().Connection()).RunToTheEnd();
      ASSERT_FALSE(HasFailure());
    }
  }
}

TEST_F(PostgresVersionsTest, ReadersAndWritersGoOnOverASwitch) {
  constexpr int kSwitches = 5;
  const Projection projection = SumProjection();
  std::mt19937 random(11);
  const Log log = RandomLog(projection, random, 6'000);
  NewSink();
  std::atomic<std::size_t> applied = 0;
  std::atomic<bool> ended = false;
  std::future<void> live = std::async(std::launch::async, [&] {
    const auto sink = NewSink();
    for (std::size_t at = 0; at < log.size(); at += 20) {
      const absl::Status stored = sink->Apply(projection, BatchOf(log, at, at + 20));
      ASSERT_TRUE(stored.ok()) << stored;
      applied = at + 20;
    }
  });
  // Every order is in the sums once, whichever version is read.
  std::future<void> reader = std::async(std::launch::async, [&] {
    int before = 0;
    while (!ended) {
      const int orders =
          std::stoi(Query("SELECT coalesce(sum(orders), 0) FROM analytics.test_sums WHERE rows_version = "
                          "(SELECT live_version FROM analytics.projection WHERE name = 'test_sums')"));
      ASSERT_GE(orders, before);
      before = orders;
    }
  });
  PostgresVersions versions = NewVersions();
  for (int version = 2; version < 2 + kSwitches; ++version) {
    const std::size_t until = log.size() / (kSwitches + 1) * (version - 1);
    while (applied < until && live.wait_for(std::chrono::seconds(0)) == std::future_status::timeout)
      std::this_thread::yield();
    const absl::Status switched = versions.Switch(projection, version, CatchUp(projection, log, version));
    EXPECT_TRUE(switched.ok()) << switched;
  }
  live.get();
  ended = true;
  reader.get();
  EXPECT_EQ(LiveVersionOf(projection), 1 + kSwitches);
  EXPECT_EQ(RowsIn(*NewSink(), projection), RowsOf(projection, log));
}

TEST_F(PostgresVersionsTest, ASwitchThatFailsChangesNothing) {
  const Projection projection = SumProjection();
  std::mt19937 random(3);
  const Log log = RandomLog(projection, random, 30);
  const auto live = NewSink();
  ASSERT_TRUE(live->Apply(projection, BatchOf(log, 0, 30)).ok());
  PostgresVersions versions = NewVersions();
  EXPECT_TRUE(absl::IsDataLoss(
      versions.Switch(projection, 2, [](const Positions&) { return absl::DataLossError("no"); })));
  EXPECT_EQ(ErrorReason(versions.Switch(projection, 2, [](const Positions&) { return absl::OkStatus(); })),
            "POSITIONS_DIFFER");
  EXPECT_EQ(LiveVersionOf(projection), 1);
  ASSERT_TRUE(versions.Switch(projection, 2, CatchUp(projection, log, 2)).ok());
  ASSERT_TRUE(versions.Switch(projection, 2, [](const Positions&) { return absl::DataLossError("no"); }).ok())
      << "it is live already";
  EXPECT_EQ(versions.Of(projection)->all, (std::vector<int>{1, 2}));
}

TEST_F(PostgresVersionsTest, ASwitchThatHangsDoesNotKeepTheLivePathWaiting) {
  const Projection projection = SumProjection();
  std::mt19937 random(3);
  const Log log = RandomLog(projection, random, 30);
  ASSERT_TRUE(NewSink()->Apply(projection, BatchOf(log, 0, 20)).ok());
  postgres::ConnectionSettings impatient = database().Connection();
  impatient.statement_timeout = absl::Milliseconds(300);
  const absl::Status switched = PostgresVersions(impatient).Switch(
      projection, 2, [&](const Positions&) { return NewSink()->Apply(projection, BatchOf(log, 20, 30)); });
  EXPECT_TRUE(absl::IsUnavailable(switched)) << switched;
  EXPECT_EQ(RowsIn(*NewSink(1), projection), RowsOf(projection, log));
}

TEST_F(PostgresVersionsTest, ASwitchNotesWhichFunctionMadeTheRows) {
  Projection projection = SumProjection();
  NewSink();
  projection.version = 4;
  PostgresVersions versions = NewVersions();
  EXPECT_EQ(versions.Of(projection)->made_by, 1);
  ASSERT_TRUE(versions.Switch(projection, 2, [](const Positions&) { return absl::OkStatus(); }).ok());
  EXPECT_EQ(versions.Of(projection)->made_by, 4);
}

TEST_F(PostgresVersionsTest, WhatWasNeverLiveIsNotFound) {
  const Projection projection = SumProjection();
  EXPECT_TRUE(absl::IsNotFound(NewVersions().Of(projection).status()));
  EXPECT_TRUE(absl::IsNotFound(
      NewVersions().Switch(projection, 2, [](const Positions&) { return absl::OkStatus(); })));
}

TEST_F(PostgresVersionsTest, RowsThatAreNotReadAreDropped) {
  const Projection projection = FacetProjection();
  std::mt19937 random(3);
  const Log log = RandomLog(projection, random, 60);
  ASSERT_TRUE(NewSink()->Apply(projection, BatchOf(log, 0, 60)).ok());
  ASSERT_TRUE(NewSink(2)->Apply(projection, BatchOf(log, 0, 60)).ok());
  ASSERT_TRUE(NewSink(3)->Apply(projection, BatchOf(log, 0, 60)).ok());
  // More than one part, of many tenants.
  Query(
      "INSERT INTO analytics.test_facets SELECT 'tenant-' || i % 150, 2, 'row', i, 1, 't', now(), 0, NULL, "
      "NULL, "
      "NULL FROM generate_series(1, 25000) AS i");
  PostgresVersions versions = NewVersions();
  EXPECT_EQ(ErrorReason(versions.Drop(projection, 1)), "ROWS_IN_USE");
  const absl::Status dropped = versions.Drop(projection, 2);
  ASSERT_TRUE(dropped.ok()) << dropped;
  EXPECT_EQ(Query("SELECT count(*) FROM analytics.test_facets WHERE rows_version = 2"), "0");
  EXPECT_EQ(versions.Of(projection)->all, (std::vector<int>{1, 3}));
  EXPECT_EQ(RowsIn(*NewSink(), projection), RowsOf(projection, log));
  EXPECT_EQ(RowsIn(*NewSink(3), projection), RowsOf(projection, log));
  EXPECT_TRUE(versions.Drop(projection, 2).ok()) << "again";
}

TEST_F(PostgresVersionsTest, RowsOfADatabaseAreCompared) {
  for (const Projection& projection : {FacetProjection(), SumProjection()}) {
    std::mt19937 random(5);
    const Log log = RandomLog(projection, random, 200);
    const auto live = NewSink();
    const auto rebuilt = NewSink(2);
    ASSERT_TRUE(live->Apply(projection, BatchOf(log, 0, 150)).ok());
    bool first = true;
    // The live path goes on behind the scan.
    const auto catch_up = [&](const Positions& target) -> absl::Status {
      if (std::exchange(first, false)) RETURN_IF_ERROR(live->Apply(projection, BatchOf(log, 150, 200)));
      return rebuilt->Apply(projection, BatchUntil(log, target));
    };
    const auto parity = Compare(projection, *live, *rebuilt, catch_up);
    ASSERT_TRUE(parity.ok()) << parity.status();
    EXPECT_TRUE(parity->equal()) << projection.name;
    EXPECT_EQ(parity->positions, WithoutZeros(*rebuilt->PositionsOf(projection)));
  }
}

}  // namespace
}  // namespace bv::projections
