#include "services/gateway/limits/bucket.h"

#include <gtest/gtest.h>

namespace bv::gateway {
namespace {

constexpr BucketPolicy kPolicy{.rate = 10, .burst = 100};

int TakeAll(Bucket& bucket, double now) {
  int taken = 0;
  while (bucket.TryTake(kPolicy, now)) ++taken;
  return taken;
}

TEST(Bucket, GivesABurstAndThenItsRate) {
  Bucket bucket(kPolicy, 50);
  EXPECT_EQ(TakeAll(bucket, 50), 100);
  EXPECT_EQ(TakeAll(bucket, 50.05), 0);
  EXPECT_EQ(TakeAll(bucket, 51), 10);
  EXPECT_EQ(TakeAll(bucket, 40), 0) << "a time before the last one is the last one";
  EXPECT_EQ(TakeAll(bucket, 1000), 100);
}

TEST(Bucket, ReportsInBlocks) {
  Bucket bucket(kPolicy, 0);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(bucket.TryTake(kPolicy, 0));
  EXPECT_FALSE(bucket.TakeReport(kPolicy).has_value());
  ASSERT_TRUE(bucket.TryTake(kPolicy, 0));
  EXPECT_EQ(bucket.TakeReport(kPolicy), 5);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(bucket.TryTake(kPolicy, 0));
  EXPECT_FALSE(bucket.TakeReport(kPolicy).has_value()) << "one at a time";
  bucket.Learn(kPolicy, 95, 0);
  EXPECT_EQ(bucket.level(), 75) << "what was used meanwhile is not in the answer";
  EXPECT_EQ(bucket.TakeReport(kPolicy), 20);
}

TEST(Bucket, LearnsWhatOthersHaveUsed) {
  Bucket bucket(kPolicy, 0);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(bucket.TryTake(kPolicy, 0));
  ASSERT_TRUE(bucket.TakeReport(kPolicy));
  bucket.Learn(kPolicy, -20, 0);
  EXPECT_EQ(TakeAll(bucket, 2), 0) << "a debt is waited for";
  EXPECT_EQ(TakeAll(bucket, 3), 10);
}

TEST(Bucket, GoesOnAloneWhenAReportIsLost) {
  Bucket bucket(kPolicy, 0);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(bucket.TryTake(kPolicy, 0));
  ASSERT_TRUE(bucket.TakeReport(kPolicy));
  bucket.Forget();
  EXPECT_EQ(TakeAll(bucket, 0), 95);
  EXPECT_EQ(bucket.TakeReport(kPolicy), 95);
}

TEST(Bucket, ASmallBurstIsReportedOneByOne) {
  constexpr BucketPolicy kSmall{.rate = 1, .burst = 3};
  Bucket bucket(kSmall, 0);
  ASSERT_TRUE(bucket.TryTake(kSmall, 0));
  EXPECT_EQ(bucket.TakeReport(kSmall), 1);
}

}  // namespace
}  // namespace bv::gateway
