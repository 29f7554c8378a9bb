#include "libs/resilience/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace bv::resilience {
namespace {

TEST(Backoff, StaysBetweenMinAndMaxAndReachesBothEnds) {
  const absl::Duration min = absl::Milliseconds(10);
  const absl::Duration max = absl::Seconds(2);
  absl::Duration longest = absl::ZeroDuration();
  for (int run = 0; run < 50; ++run) {
    Backoff backoff({.min = min, .max = max});
    EXPECT_LE(*backoff.Next(), 3 * min);
    for (int i = 0; i < 100; ++i) {
      const absl::Duration wait = *backoff.Next();
      ASSERT_GE(wait, min);
      ASSERT_LE(wait, max);
      longest = std::max(longest, wait);
    }
  }
  EXPECT_GT(longest, max / 2);
}

TEST(Backoff, NoWaitIsMoreThanThreeTimesTheOneBefore) {
  Backoff backoff({.min = absl::Milliseconds(10), .max = absl::Hours(1)});
  absl::Duration before = absl::Milliseconds(10);
  for (int i = 0; i < 100; ++i) {
    const absl::Duration wait = *backoff.Next();
    ASSERT_LE(wait, 3 * before);
    before = wait;
  }
}

TEST(Backoff, SpreadsCallersThatFailTogether) {
  std::set<absl::Duration> waits;
  for (int i = 0; i < 100; ++i)
    waits.insert(*Backoff({.min = absl::Milliseconds(10), .max = absl::Seconds(1)}).Next());
  EXPECT_GT(waits.size(), 90u);
}

TEST(Backoff, EndsAfterItsRetriesAndStartsAgainAfterReset) {
  Backoff backoff({.min = absl::Milliseconds(1), .max = absl::Seconds(1), .retries_max = 2});
  EXPECT_TRUE(backoff.Next());
  EXPECT_TRUE(backoff.Next());
  EXPECT_FALSE(backoff.Next());
  EXPECT_FALSE(backoff.Next());
  backoff.Reset();
  const auto first = backoff.Next();
  ASSERT_TRUE(first);
  EXPECT_LE(*first, absl::Milliseconds(3));
}

TEST(Backoff, AMaxBelowMinCountsAsMin) {
  Backoff backoff({.min = absl::Milliseconds(20), .max = absl::Milliseconds(1)});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(*backoff.Next(), absl::Milliseconds(20));
}

}  // namespace
}  // namespace bv::resilience
