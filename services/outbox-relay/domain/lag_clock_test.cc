#include "services/outbox-relay/domain/lag_clock.h"

#include <gtest/gtest.h>

namespace bv::relay {
namespace {

absl::Time At(int seconds) {
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

TEST(LagClockTest, IsZeroWhileTheLogIsConfirmedAsItGrows) {
  LagClock clock;
  for (int second = 0; second < 100; ++second) {
    // What was written since the last look is not confirmed yet.
    EXPECT_EQ(clock.Look(At(second), 100 + 10 * second, 95 + 10 * second), absl::ZeroDuration());
  }
}

TEST(LagClockTest, GrowsWhileNothingIsConfirmedAndShrinksWithWhatIs) {
  LagClock clock;
  EXPECT_EQ(clock.Look(At(0), 100, 100), absl::ZeroDuration());
  EXPECT_EQ(clock.Look(At(5), 200, 100), absl::ZeroDuration());
  EXPECT_EQ(clock.Look(At(10), 300, 100), absl::Seconds(5));
  EXPECT_EQ(clock.Look(At(60), 300, 199), absl::Seconds(55));
  EXPECT_EQ(clock.Look(At(65), 300, 200), absl::Seconds(55));
  EXPECT_EQ(clock.Look(At(70), 300, 300), absl::ZeroDuration());
}

TEST(LagClockTest, RemembersTheOldestOfALongWait) {
  LagClock clock;
  const int seconds = 10 * static_cast<int>(LagClock::kMarksMax);
  for (int second = 0; second <= seconds; ++second) {
    EXPECT_EQ(clock.Look(At(second), second + 1, 0), absl::Seconds(second));
  }
  // In between it knows the age coarsely, and never as less than it is.
  const absl::Duration half = clock.Look(At(seconds), seconds + 1, seconds / 2);
  EXPECT_GE(half, absl::Seconds(seconds / 2));
  EXPECT_LE(half, absl::Seconds(seconds));
  EXPECT_EQ(clock.Look(At(seconds), seconds + 1, seconds + 1), absl::ZeroDuration());
}

TEST(LagClockTest, AClockSetBackIsNoAge) {
  LagClock clock;
  clock.Look(At(100), 10, 5);
  EXPECT_EQ(clock.Look(At(50), 20, 5), absl::ZeroDuration());
}

}  // namespace
}  // namespace bv::relay
