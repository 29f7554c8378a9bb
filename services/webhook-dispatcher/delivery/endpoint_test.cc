#include "services/webhook-dispatcher/delivery/endpoint.h"

#include <gtest/gtest.h>

#include <vector>

namespace bv::webhook {
namespace {

using std::chrono::seconds;

class EndpointTest : public ::testing::Test {
 protected:
  // Attempts that begin and end at once.
  void Attempt(int count, bool succeeds) {
    for (int i = 0; i < count; ++i) {
      std::optional<Endpoint::Permit> permit = endpoint_.Begin(now_);
      ASSERT_TRUE(permit) << i;
      if (succeeds) {
        permit->Succeeded(now_);
      } else {
        permit->Failed(now_);
      }
      endpoint_.End();
    }
  }
  int Room(DeliveryOrder order = DeliveryOrder::kAny) const { return endpoint_.Room(order, now_); }

  Endpoint endpoint_{EndpointSettings{.parallel_max = 4,
                                      .breaker_window = absl::Minutes(5),
                                      .breaker_calls_min = 10,
                                      .breaker_failure_ratio = 0.7,
                                      .breaker_open_for = absl::Seconds(30)}};
  Endpoint::Clock::time_point now_ = Endpoint::Clock::time_point() + seconds(1000);
};

TEST_F(EndpointTest, HasRoomForSoManyAtOnceAndForOneOfAFifo) {
  EXPECT_EQ(Room(), 4);
  EXPECT_EQ(Room(DeliveryOrder::kFifo), 1);
  std::vector<Endpoint::Permit> permits;
  for (int i = 0; i < 4; ++i) permits.push_back(*endpoint_.Begin(now_));
  EXPECT_EQ(Room(), 0);
  EXPECT_EQ(Room(DeliveryOrder::kFifo), 0);
  endpoint_.End();
  EXPECT_EQ(Room(), 1);
}

TEST_F(EndpointTest, NineFailuresAreTooFewToJudge) {
  Attempt(9, false);
  EXPECT_EQ(Room(), 4);
  Attempt(1, false);
  EXPECT_EQ(Room(), 0);
  EXPECT_TRUE(endpoint_.is_open());
}

TEST_F(EndpointTest, SeventyPercentOfFailuresOpenIt) {
  Attempt(4, true);
  Attempt(9, false);
  EXPECT_EQ(Room(), 4);
  Attempt(1, false);
  EXPECT_EQ(Room(), 0);
}

TEST_F(EndpointTest, FailuresOfLongAgoDoNotCount) {
  Attempt(9, false);
  now_ += seconds(301);
  Attempt(9, false);
  EXPECT_EQ(Room(), 4);
}

TEST_F(EndpointTest, AfterItsTimeOneAttemptLooksAndDecides) {
  Attempt(10, false);
  now_ += seconds(29);
  EXPECT_EQ(Room(), 0);
  EXPECT_FALSE(endpoint_.Begin(now_));
  now_ += seconds(1);
  EXPECT_EQ(Room(), 1);
  Attempt(1, false);
  EXPECT_EQ(Room(), 0);
  now_ += seconds(30);
  std::optional<Endpoint::Permit> permit = endpoint_.Begin(now_);
  ASSERT_TRUE(permit);
  EXPECT_EQ(Room(), 0);
  permit->Succeeded(now_);
  endpoint_.End();
  EXPECT_EQ(Room(), 4);
}

TEST_F(EndpointTest, WhatIsKnownOfItEndsWithAChangeOfTheSubscription) {
  endpoint_.See(1);
  endpoint_.Note(absl::UnixEpoch());
  endpoint_.See(1);
  EXPECT_EQ(endpoint_.is_failing, true);
  endpoint_.See(2);
  EXPECT_EQ(endpoint_.is_failing, std::nullopt);
  EXPECT_EQ(endpoint_.failing_since, std::nullopt);
}

}  // namespace
}  // namespace bv::webhook
