#include "services/webhook-dispatcher/domain/schedule.h"

#include <gtest/gtest.h>

namespace bv::webhook {
namespace {

const Schedule kSchedule({absl::Seconds(30), absl::Minutes(2), absl::Minutes(5)});

absl::Duration PauseAfter(int attempts_made, std::optional<absl::Duration> asked_for = std::nullopt) {
  const std::optional<Retry> retry = kSchedule.After(attempts_made, asked_for);
  return retry ? retry->pause : absl::InfiniteDuration();
}

TEST(Schedule, HasADelayAfterEachAttemptButTheLast) {
  EXPECT_EQ(kSchedule.attempts_max(), 4);
  EXPECT_EQ(PauseAfter(1), absl::Seconds(30));
  EXPECT_EQ(PauseAfter(2), absl::Minutes(2));
  EXPECT_EQ(PauseAfter(3), absl::Minutes(5));
  EXPECT_EQ(kSchedule.After(4, std::nullopt), std::nullopt);
  EXPECT_EQ(kSchedule.After(9, std::nullopt), std::nullopt);
  EXPECT_EQ(kSchedule.After(2, std::nullopt)->tier, 1);
}

TEST(Schedule, TheReceiverMayAskForOneToTwoDelays) {
  EXPECT_EQ(PauseAfter(1, absl::Seconds(1)), absl::Seconds(30));
  EXPECT_EQ(PauseAfter(1, absl::Seconds(45)), absl::Seconds(45));
  EXPECT_EQ(PauseAfter(1, absl::Hours(10)), absl::Minutes(1));
  EXPECT_EQ(PauseAfter(1, absl::InfiniteDuration()), absl::Minutes(1));
  EXPECT_EQ(kSchedule.After(4, absl::Seconds(45)), std::nullopt);
}

TEST(Schedule, WithoutDelaysThereIsOneAttempt) {
  EXPECT_EQ(Schedule({}).attempts_max(), 1);
  EXPECT_EQ(Schedule({}).After(1, std::nullopt), std::nullopt);
}

}  // namespace
}  // namespace bv::webhook
