#include "services/notification/domain/progress.h"

#include <gtest/gtest.h>

#include "services/notification/domain/events_fixture_test.h"

namespace bv::notification {
namespace {

using Step = Progress::Step;

OrderEventPtr Paid(std::int64_t version) {
  return Make({.version = version, .kind = kPaidKind});
}
OrderEventPtr Status(std::int64_t version) {
  return Make({.version = version});
}

TEST(Progress, TakesEachEventOfEachChangeOnce) {
  Progress progress;
  EXPECT_EQ(progress.Take(*Status(1)), Step::kNew);
  EXPECT_EQ(progress.Take(*Paid(2)), Step::kNew);
  EXPECT_EQ(progress.Take(*Status(2)), Step::kNew);
  EXPECT_EQ(progress.Take(*Status(1)), Step::kSeen);
  EXPECT_EQ(progress.Take(*Paid(2)), Step::kSeen);
  EXPECT_EQ(progress.Take(*Status(2)), Step::kSeen);
  EXPECT_EQ(progress.Take(*Status(3)), Step::kNew);
}

TEST(Progress, TakesTheRestOfAChangeThatIsWrittenTwiceFromItsMiddle) {
  Progress progress;
  progress.Jump(1);
  EXPECT_EQ(progress.Take(*Paid(2)), Step::kNew);
  EXPECT_EQ(progress.Take(*Paid(2)), Step::kSeen);
  EXPECT_EQ(progress.Take(*Status(2)), Step::kNew);
}

TEST(Progress, NoticesWhatIsMissing) {
  Progress progress;
  progress.Jump(3);
  EXPECT_EQ(progress.Take(*Paid(5)), Step::kGap);
  EXPECT_EQ(progress.version(), 3);
  EXPECT_EQ(progress.Take(*Paid(4)), Step::kNew);
  EXPECT_EQ(progress.Take(*Status(5)), Step::kGap) << "the rest of 4 is missing";
}

TEST(Progress, ASnapshotHasTheWholeOfItsVersion) {
  Progress progress;
  progress.Jump(2);
  EXPECT_EQ(progress.Take(*Paid(2)), Step::kSeen);
  EXPECT_EQ(progress.Take(*Status(2)), Step::kSeen);
}

TEST(OrderEvent, ItsSeqIsTheLastVersionThatIsWhole) {
  EXPECT_EQ(Paid(2)->seq(), 1);
  EXPECT_EQ(Status(2)->seq(), 2);
}

}  // namespace
}  // namespace bv::notification
