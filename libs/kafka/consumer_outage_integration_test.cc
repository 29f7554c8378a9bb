// The brokers away, and back.
#include <gtest/gtest.h>

#include <future>

#include "libs/kafka/consumer_fixture_test.h"
#include "libs/testing/kafka/broker_link.h"

namespace bv::kafka {
namespace {

TEST_F(ConsumerTest, GoesOnWhenTheBrokersAreBack) {
  const auto consumer = Start(Into(book_));
  Write(100);
  book_.WaitFor(100);
  WaitUntil([&] { return consumer->caught_up_lately(); });
  {
    const testing::BrokerOutage outage;
    WaitUntil([&] { return !consumer->caught_up_lately(); });
  }
  Write(100);
  book_.WaitFor(200);
  ExpectInOrder(book_.messages());
  WaitUntil([&] { return consumer->caught_up_lately(); });
}

TEST_F(ConsumerTest, StopsWithTheBrokersAway) {
  const auto consumer = Start(Into(book_));
  Write(100);
  book_.WaitFor(100);
  const testing::BrokerOutage outage;
  const absl::Time begin = absl::Now();
  consumer->Stop();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(15));
}

TEST_F(ConsumerTest, StopsWithTheBrokersAwayAndACommitUnanswered) {
  std::promise<void> begun, away;
  const auto consumer = Start([&](std::span<const Message>) {
    begun.set_value();
    away.get_future().wait();
    return absl::OkStatus();
  });
  Write(1);
  begun.get_future().wait();
  const testing::BrokerOutage outage;
  away.set_value();
  const absl::Time begin = absl::Now();
  consumer->Stop();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(15));
}

}  // namespace
}  // namespace bv::kafka
