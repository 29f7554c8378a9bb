#include "tests/load/loadgen/outcomes.h"

#include <gtest/gtest.h>

#include <numeric>

namespace bv::load {
namespace {

using std::chrono::microseconds;

TEST(Percentile, IsTheSmallestValueThatTheShareDoesNotExceed) {
  std::vector<std::uint32_t> hundred(100);
  std::iota(hundred.begin(), hundred.end(), 1u);
  EXPECT_EQ(Percentile(hundred, 0.50), 50u);
  EXPECT_EQ(Percentile(hundred, 0.99), 99u);
  EXPECT_EQ(Percentile(hundred, 0.991), 100u);
  EXPECT_EQ(Percentile(hundred, 0), 1u);
  EXPECT_EQ(Percentile(hundred, 1), 100u);
  EXPECT_EQ(Percentile({7}, 0.5), 7u);
}

TEST(Outcomes, AreAddedUpByName) {
  Outcomes one;
  one.Add("OK", microseconds(2500));
  one.Add("OUT_OF_STOCK", microseconds(10));
  Outcomes other;
  other.Add("OK", microseconds(500));
  other.Add("OK", std::chrono::hours(2));
  one.Add(other);
  EXPECT_EQ(one.count(), 4);
  EXPECT_EQ(
      one.ToJson(),
      R"({"OK": {"count": 3, "p50_ms": 2.500, "p95_ms": 3600000.000, "p99_ms": 3600000.000, )"
      R"("max_ms": 3600000.000}, )"
      R"("OUT_OF_STOCK": {"count": 1, "p50_ms": 0.010, "p95_ms": 0.010, "p99_ms": 0.010, "max_ms": 0.010}})");
}

TEST(Outcomes, NoneAreAnEmptyObject) {
  EXPECT_EQ(Outcomes().count(), 0);
  EXPECT_EQ(Outcomes().ToJson(), "{}");
}

}  // namespace
}  // namespace bv::load
