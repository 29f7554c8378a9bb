#include "libs/resilience/circuit_breaker.h"

#include <gtest/gtest.h>

#include <thread>

namespace bv::resilience {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using State = CircuitBreaker::State;

const CircuitBreaker::Time kStart = CircuitBreaker::Time() + std::chrono::hours(1);
const CircuitBreakerSettings kSettings = {
    .window = seconds(10), .calls_min = 4, .failure_ratio = 0.5, .open_for = seconds(5), .probes = 2};

void Succeed(CircuitBreaker& breaker, CircuitBreaker::Time now) {
  auto permit = breaker.Acquire(now);
  ASSERT_TRUE(permit);
  permit->Succeeded(now);
}

void Fail(CircuitBreaker& breaker, CircuitBreaker::Time now) {
  auto permit = breaker.Acquire(now);
  ASSERT_TRUE(permit);
  permit->Failed(now);
}

void Open(CircuitBreaker& breaker, CircuitBreaker::Time now) {
  for (int i = 0; i < kSettings.calls_min; ++i) Fail(breaker, now);
  ASSERT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreaker, OpensAtTheRatioButNotBelowTheLeastNumberOfCalls) {
  CircuitBreaker breaker(kSettings);
  Fail(breaker, kStart);
  Fail(breaker, kStart);
  Fail(breaker, kStart);
  EXPECT_EQ(breaker.state(), State::kClosed);
  Fail(breaker, kStart);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_FALSE(breaker.Acquire(kStart + seconds(4)));
  EXPECT_EQ(breaker.OpenFor(kStart + seconds(4)), seconds(1));
}

TEST(CircuitBreaker, StaysClosedBelowTheRatio) {
  CircuitBreaker breaker(kSettings);
  for (int i = 0; i < 60; ++i) Succeed(breaker, kStart);
  for (int i = 0; i < 59; ++i) Fail(breaker, kStart);
  EXPECT_EQ(breaker.state(), State::kClosed);
  Fail(breaker, kStart);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreaker, ForgetsWhatIsOlderThanTheWindow) {
  CircuitBreaker breaker(kSettings);
  for (int i = 0; i < 3; ++i) Fail(breaker, kStart);
  Fail(breaker, kStart + seconds(11));
  EXPECT_EQ(breaker.state(), State::kClosed);
  for (int i = 0; i < 3; ++i) Fail(breaker, kStart + seconds(12));
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreaker, HalfOpenLetsAFewProbeAndClosesWhenTheySucceed) {
  CircuitBreaker breaker(kSettings);
  Open(breaker, kStart);
  const auto now = kStart + seconds(5);
  auto first = breaker.Acquire(now);
  auto second = breaker.Acquire(now);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker.Acquire(now));
  first->Succeeded(now);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  second->Succeeded(now);
  EXPECT_EQ(breaker.state(), State::kClosed);
  // The failures from before it opened no longer count.
  Fail(breaker, now);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(CircuitBreaker, OneFailedProbeOpensItForTheFullTimeAgain) {
  CircuitBreaker breaker(kSettings);
  Open(breaker, kStart);
  const auto now = kStart + seconds(6);
  Succeed(breaker, now);
  Fail(breaker, now);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_FALSE(breaker.Acquire(now + seconds(5) - nanoseconds(1)));
  EXPECT_TRUE(breaker.Acquire(now + seconds(5)));
}

TEST(CircuitBreaker, AnAbandonedProbeGivesItsPlaceBack) {
  CircuitBreaker breaker(kSettings);
  Open(breaker, kStart);
  const auto now = kStart + seconds(5);
  for (int i = 0; i < 10; ++i) {
    auto first = breaker.Acquire(now);
    auto second = breaker.Acquire(now);
    ASSERT_TRUE(first && second);
  }
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  Succeed(breaker, now);
  Succeed(breaker, now);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(CircuitBreaker, ALateReportOfAnEarlierStateIsIgnored) {
  CircuitBreaker breaker(kSettings);
  auto late_failure = breaker.Acquire(kStart);
  auto late_success = breaker.Acquire(kStart);
  ASSERT_TRUE(late_failure && late_success);
  Open(breaker, kStart);
  const auto now = kStart + seconds(5);
  auto probe = breaker.Acquire(now);
  ASSERT_TRUE(probe);
  late_failure->Failed(now);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  late_success->Succeeded(now);
  probe->Succeeded(now);
  EXPECT_EQ(breaker.state(), State::kHalfOpen) << "only one probe succeeded";
}

TEST(CircuitBreaker, ThreadsKeepItConsistent) {
  CircuitBreaker breaker(
      {.window = milliseconds(10), .calls_min = 4, .open_for = milliseconds(1), .probes = 2});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&breaker, t] {
        for (int i = 0; i < 2000; ++i) {
          const auto now = kStart + std::chrono::microseconds(i * 10);
          auto permit = breaker.Acquire(now);
          if (!permit) continue;
          if ((i + t) % 3 == 0) permit->Failed(now);
          if ((i + t) % 3 == 1) permit->Succeeded(now);
        }
      });
    }
  }
  // Whatever state it ended in, no probe's place may have been lost.
  const auto now = kStart + seconds(1);
  for (int i = 0; i < 4 && breaker.state() != State::kClosed; ++i) Succeed(breaker, now);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

}  // namespace
}  // namespace bv::resilience
