#include "libs/resilience/token_bucket.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace bv::resilience {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const TokenBucket::Time kStart = TokenBucket::Time() + std::chrono::hours(1);

TEST(TokenBucket, AllowsABurstThenTheRate) {
  TokenBucket bucket(/*rate=*/10, /*burst=*/3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.TryTake(kStart));
  EXPECT_FALSE(bucket.TryTake(kStart));
  EXPECT_FALSE(bucket.TryTake(kStart + milliseconds(99)));
  EXPECT_TRUE(bucket.TryTake(kStart + milliseconds(101)));
  EXPECT_FALSE(bucket.TryTake(kStart + milliseconds(102)));
}

TEST(TokenBucket, NeverHoldsMoreThanItsBurst) {
  TokenBucket bucket(100, 2);
  ASSERT_TRUE(bucket.TryTake(kStart, 2));
  const auto later = kStart + std::chrono::hours(24);
  EXPECT_TRUE(bucket.TryTake(later, 2));
  EXPECT_FALSE(bucket.TryTake(later, 0.5));
}

TEST(TokenBucket, TakesAllOrNothing) {
  TokenBucket bucket(1, 4);
  ASSERT_TRUE(bucket.TryTake(kStart, 3));
  EXPECT_FALSE(bucket.TryTake(kStart, 2));
  EXPECT_TRUE(bucket.TryTake(kStart, 1));
}

TEST(TokenBucket, TheHintIsTheTimeAfterWhichTheTakeSucceeds) {
  TokenBucket bucket(4, 1);
  ASSERT_TRUE(bucket.TryTake(kStart));
  EXPECT_EQ(bucket.UntilAvailable(kStart), milliseconds(250));
  EXPECT_FALSE(bucket.TryTake(kStart + milliseconds(250) - nanoseconds(1000)));
  EXPECT_TRUE(bucket.TryTake(kStart + milliseconds(250)));
  EXPECT_EQ(bucket.UntilAvailable(kStart, 2), nanoseconds::max());
}

TEST(TokenBucket, AClockThatGoesBackGivesNothing) {
  TokenBucket bucket(1, 1);
  ASSERT_TRUE(bucket.TryTake(kStart));
  EXPECT_FALSE(bucket.TryTake(kStart - seconds(10)));
  EXPECT_FALSE(bucket.TryTake(kStart));
  EXPECT_TRUE(bucket.TryTake(kStart + seconds(1)));
}

TEST(TokenBucket, ThreadsTogetherGetNoMoreThanTheBurst) {
  TokenBucket bucket(1, 1000);
  std::atomic<int> taken = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) taken += bucket.TryTake(kStart);
    });
  }
  threads.clear();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace bv::resilience
