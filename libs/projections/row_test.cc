#include "libs/projections/row.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "libs/projections/test_projection.h"

namespace bv::projections {
namespace {

Change PutOf(std::size_t facet, std::int64_t version, std::vector<Value> values) {
  return {.tenant = TenantId::Trusted("acme"),
          .key = {std::string("a"), std::int64_t{1}},
          .what = Put{facet, version, std::move(values)}};
}
Change WhatOf(std::int64_t version, const char* title) {
  return PutOf(0, version, {std::string(title), absl::CivilDay(2026, 1, 1)});
}
Change RemoveOf(std::int64_t version) {
  Change change = WhatOf(1, "");
  change.what = Remove{version};
  return change;
}

Row After(const std::vector<Change>& changes) {
  const Shape shape = FacetProjection().shape;
  Row row = EmptyRow(shape, {changes[0].tenant, changes[0].key});
  for (const Change& change : changes) {
    EXPECT_TRUE(CheckFits(shape, change).ok());
    EXPECT_TRUE(Merge(change, row).ok());
  }
  return row;
}

TEST(Merge, AFacetHoldsWhatTheHighestVersionPut) {
  const Row row = After({WhatOf(2, "two"), WhatOf(1, "one"), WhatOf(2, "two")});
  EXPECT_EQ(row.facets[0].version, 2);
  EXPECT_EQ(row.facets[0].values[0], Value(std::string("two")));
  EXPECT_EQ(row.facets[1].version, 0);
}

TEST(Merge, WhatWasRemovedIsBroughtBackByLaterVersionsOnly) {
  EXPECT_TRUE(After({WhatOf(1, "one"), RemoveOf(3), WhatOf(2, "two")}).facets[0].values.empty());
  EXPECT_EQ(After({RemoveOf(3), WhatOf(4, "four")}).facets[0].values[0], Value(std::string("four")));
  EXPECT_EQ(After({WhatOf(4, "four"), RemoveOf(3)}), After({RemoveOf(3), WhatOf(4, "four")}));
}

// Puts and removals may come in any order, and any of them several times.
TEST(Merge, AnyOrderWithDuplicatesGivesTheSameRows) {
  const Projection projection = FacetProjection();
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    const std::vector<SourcedChange> log = RandomLog(projection, random, 60);
    const RowMap expected = RowsOf(projection, log);
    std::vector<SourcedChange> shuffled = log;
    for (int i = 0; i < 30; ++i) shuffled.push_back(log[random() % log.size()]);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    ASSERT_EQ(RowsOf(projection, shuffled), expected) << "seed " << seed;
  }
}

TEST(Merge, ASumThatLeavesInt64IsRefusedAndChangesNothing) {
  const Shape shape = SumProjection().shape;
  const Change change{.tenant = TenantId::Trusted("acme"),
                      .key = {absl::CivilDay(2026, 1, 1), absl::UnixEpoch()},
                      .what = Add{{std::int64_t{1} << 62, 1}}};
  Row row = EmptyRow(shape, {change.tenant, change.key});
  ASSERT_TRUE(Merge(change, row).ok());
  const Row before = row;
  EXPECT_TRUE(absl::IsInvalidArgument(Merge(change, row)));
  EXPECT_EQ(row, before);
}

TEST(CheckFits, WhatDoesNotFitIsRefused) {
  const Shape shape = FacetProjection().shape;
  EXPECT_TRUE(CheckFits(shape, WhatOf(1, "one")).ok());
  EXPECT_FALSE(CheckFits(shape, WhatOf(0, "no version")).ok());
  EXPECT_FALSE(CheckFits(shape, PutOf(2, 1, {})).ok());
  EXPECT_FALSE(CheckFits(shape, PutOf(0, 1, {std::string("one")})).ok());
  EXPECT_FALSE(CheckFits(shape, PutOf(0, 1, {std::string("one"), std::string("no day")})).ok());
  Change add = WhatOf(1, "one");
  add.what = Add{{1, 1}};
  EXPECT_FALSE(CheckFits(shape, add).ok());
  Change key = WhatOf(1, "one");
  key.key.pop_back();
  EXPECT_FALSE(CheckFits(shape, key).ok());
  EXPECT_FALSE(CheckFits(SumProjection().shape, RemoveOf(1)).ok());
}

std::string BytesOf(const Row& row) {
  std::string bytes;
  AppendCanonical(row, bytes);
  return bytes;
}

TEST(Canonical, RowsThatDifferHaveOtherBytes) {
  const Row row = After({WhatOf(1, "one")});
  std::vector<Row> rows(8, row);
  rows[1].tenant = TenantId::Trusted("bolt");
  rows[2].key[0] = std::string("b");
  rows[3].key[1] = std::int64_t{2};
  rows[4].facets[0].version = 2;
  rows[5].facets[0].values[0] = std::string("One");
  rows[6].facets[0].values.clear();
  rows[7].sums = {0};
  std::set<std::string> bytes;
  std::set<std::uint64_t> hashes;
  for (const Row& other : rows) {
    bytes.insert(BytesOf(other));
    hashes.insert(HashOf(other));
  }
  EXPECT_EQ(bytes.size(), rows.size());
  EXPECT_EQ(hashes.size(), rows.size());
}

TEST(Canonical, WhereOneTextEndsAndTheNextBeginsIsInTheBytes) {
  Row one = After({WhatOf(1, "one")});
  one.key = {std::string("ab"), std::string("c")};
  Row other = one;
  other.key = {std::string("a"), std::string("bc")};
  EXPECT_NE(BytesOf(one), BytesOf(other));
}

// Two processes of two builds compare their hashes.
TEST(Canonical, TheHashIsFixed) {
  EXPECT_EQ(HashOf(After({WhatOf(1, "one")})), 5333279203104053094u);
}

}  // namespace
}  // namespace bv::projections
