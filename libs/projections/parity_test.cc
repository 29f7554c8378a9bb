#include "libs/projections/parity.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/projections/test_projection.h"

namespace bv::projections {
namespace {

constexpr int kManyRows = 20'000;

// Rows in memory. What is written after a scan is what happens meanwhile.
class MemoryRows : public ReadModel {
 public:
  absl::Status Apply(const Projection&, const Batch&) override { return absl::OkStatus(); }
  absl::StatusOr<Positions> PositionsOf(const Projection&) override { return positions; }
  absl::StatusOr<Positions> Scan(const Projection&, const std::function<void(const Row&)>& visit) override {
    for (const auto& [key, row] : rows) visit(row);
    return positions;
  }

  RowMap rows;
  Positions positions;
};

Row StateRow(int number, std::int64_t amount) {
  Row row = EmptyRow(FacetProjection().shape,
                     {TenantId::Trusted("acme"), {std::to_string(number), std::int64_t{number}}});
  row.facets[1] = {.version = 1, .values = {std::string("PAID"), amount, absl::UnixEpoch()}};
  return row;
}

void Put(const Row& row, MemoryRows& rows) {
  rows.rows.insert_or_assign(RowKey(row.tenant, row.key), row);
}
void Erase(const Row& row, MemoryRows& rows) {
  rows.rows.erase(RowKey(row.tenant, row.key));
}

Digest DigestOf(const Projection& projection, const std::vector<Row>& rows) {
  Digest digest(projection.shape);
  for (const Row& row : rows) digest.Add(row);
  return digest;
}

TEST(Digest, DoesNotDependOnTheOrderOfRows) {
  for (const Projection& projection : {FacetProjection(), SumProjection()}) {
    std::random_device device;
    const unsigned seed = device();
    std::mt19937 random(seed);
    std::vector<Row> rows;
    for (const auto& [key, row] : RowsOf(projection, RandomLog(projection, random, 300))) rows.push_back(row);
    const Digest once = DigestOf(projection, rows);
    std::shuffle(rows.begin(), rows.end(), random);
    const Digest again = DigestOf(projection, rows);
    EXPECT_TRUE(Digest::Different(once, again).empty()) << projection.name << ", seed " << seed;
    EXPECT_EQ(once.rows(), again.rows());
    EXPECT_EQ(once.sums(), again.sums());
  }
}

TEST(Digest, RowsThatHoldNothingDoNotCount) {
  Row removed = StateRow(1, 5);
  removed.facets[1] = {.version = 7};
  EXPECT_EQ(DigestOf(FacetProjection(), {removed}).rows(), 0);
  Row zero = EmptyRow(SumProjection().shape,
                      {TenantId::Trusted("acme"), {absl::CivilDay(2026, 1, 1), absl::UnixEpoch()}});
  EXPECT_EQ(DigestOf(SumProjection(), {zero}).rows(), 0);
  zero.sums = {-3, 2};
  const Digest counted = DigestOf(SumProjection(), {zero, zero});
  EXPECT_EQ(counted.rows(), 2);
  EXPECT_EQ(counted.sums(), (std::vector<std::int64_t>{-6, 4}));
}

TEST(Digest, TellsTheBucketThatDiffers) {
  std::vector<Row> rows;
  for (int i = 0; i < kManyRows; ++i) rows.push_back(StateRow(i, i));
  const Digest whole = DigestOf(FacetProjection(), rows);
  rows[77] = StateRow(77, 78);
  EXPECT_EQ(Digest::Different(whole, DigestOf(FacetProjection(), rows)),
            std::vector<int>{Digest::BucketOf(rows[77])});
}

class CompareTest : public ::testing::Test {
 protected:
  CompareTest() {
    for (int i = 0; i < kManyRows; ++i) {
      Put(StateRow(i, i), live_);
      Put(StateRow(i, i), rebuilt_);
    }
    live_.positions = {{{kTestTopic, 0}, 10}};
  }

  absl::StatusOr<Parity> CompareAll(const CompareSettings& settings = {}) {
    return Compare(projection_, live_, rebuilt_, catch_up_, settings);
  }

  Projection projection_ = FacetProjection();
  MemoryRows live_, rebuilt_;
  std::function<absl::Status(const Positions&)> catch_up_ = [this](const Positions& positions) {
    rebuilt_.positions = positions;
    return absl::OkStatus();
  };
};

TEST_F(CompareTest, EqualRowsAreEqual) {
  const auto parity = CompareAll();
  ASSERT_TRUE(parity.ok()) << parity.status();
  EXPECT_TRUE(parity->equal());
  EXPECT_TRUE(parity->differences.empty());
  EXPECT_EQ(parity->positions, live_.positions);
  EXPECT_EQ(parity->live.rows(), kManyRows);
  EXPECT_EQ(parity->rebuilt.rows(), kManyRows);
}

TEST_F(CompareTest, EachRowThatDiffersIsNamed) {
  Put(StateRow(1, 999), live_);
  Erase(StateRow(2, 2), live_);
  Put(StateRow(kManyRows, 3), live_);
  const auto parity = CompareAll();
  ASSERT_TRUE(parity.ok()) << parity.status();
  EXPECT_FALSE(parity->equal());
  ASSERT_EQ(parity->differences.size(), 3u);
  std::map<std::int64_t, Difference> by_number;
  for (const Difference& difference : parity->differences)
    by_number[std::get<std::int64_t>(std::get<1>(difference.key)[1])] = difference;
  EXPECT_EQ(by_number[1].live, StateRow(1, 999));
  EXPECT_EQ(by_number[1].rebuilt, StateRow(1, 1));
  EXPECT_EQ(by_number[2].live, std::nullopt);
  EXPECT_EQ(by_number[2].rebuilt, StateRow(2, 2));
  EXPECT_EQ(by_number[kManyRows].live, StateRow(kManyRows, 3));
  EXPECT_EQ(by_number[kManyRows].rebuilt, std::nullopt);
}

TEST_F(CompareTest, SomeOfManyDifferencesAreNamed) {
  for (int i = 0; i < kManyRows; ++i) Put(StateRow(i, i + 1), live_);
  const auto parity = CompareAll({.differences_max = 7, .rows_max = 50});
  ASSERT_TRUE(parity.ok()) << parity.status();
  EXPECT_EQ(parity->differences.size(), 7u);
  EXPECT_GT(parity->buckets_different.size(), 3'000u);
}

TEST_F(CompareTest, RowsThatMayBeForgottenAreLeftOut) {
  projection_.forgotten = [](const Row& row, absl::Time) { return std::get<std::int64_t>(row.key[1]) < 5; };
  Erase(StateRow(2, 2), live_);
  const auto parity = CompareAll();
  ASSERT_TRUE(parity.ok()) << parity.status();
  EXPECT_TRUE(parity->equal());
  EXPECT_EQ(parity->live.rows(), kManyRows - 5);
}

TEST_F(CompareTest, WhatASecondLookDoesNotShowIsNoDifference) {
  Put(StateRow(1, 999), live_);
  int calls = 0;
  catch_up_ = [&](const Positions& positions) {
    rebuilt_.positions = positions;
    if (++calls == 2) Put(StateRow(1, 999), rebuilt_);
    return absl::OkStatus();
  };
  const auto parity = CompareAll();
  ASSERT_TRUE(parity.ok()) << parity.status();
  EXPECT_TRUE(parity->equal());
  EXPECT_EQ(calls, 3);
}

TEST_F(CompareTest, OtherPositionsAreNotCompared) {
  catch_up_ = [](const Positions&) { return absl::OkStatus(); };
  EXPECT_EQ(ErrorReason(CompareAll().status()), "POSITIONS_DIFFER");
  catch_up_ = [](const Positions&) { return absl::CancelledError("enough"); };
  EXPECT_TRUE(absl::IsCancelled(CompareAll().status()));
}

TEST_F(CompareTest, APartitionOfWhichNothingWasAppliedNeedsNoPosition) {
  live_.positions[{kTestTopic, 1}] = 0;
  catch_up_ = [this](const Positions&) {
    rebuilt_.positions = {{{kTestTopic, 0}, 10}};
    return absl::OkStatus();
  };
  EXPECT_TRUE(CompareAll().ok());
}

}  // namespace
}  // namespace bv::projections
