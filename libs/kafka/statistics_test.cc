#include "libs/kafka/statistics.h"

#include <gtest/gtest.h>

namespace bv::kafka {
namespace {

TEST(Statistics, CountTheRealBrokersOnly) {
  const auto statistics = ParseStatistics(R"({"msg_cnt":7,"msg_size":900,"brokers":{
      "GroupCoordinator":{"name":"GroupCoordinator","nodeid":-1,"state":"UP"},
      "127.0.0.1:9092/1":{"name":"127.0.0.1:9092/1","nodeid":1,"nodename":"127.0.0.1:9092","state":"UP",
        "txretries":3,"req_timeouts":2,"rtt":{"p50":410,"p99":2047}}}})");
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->queued_records, 7);
  EXPECT_EQ(statistics->queued_bytes, 900);
  ASSERT_EQ(statistics->brokers.size(), 1u);
  const BrokerStatistics& broker = statistics->brokers.front();
  EXPECT_EQ(broker.name, "127.0.0.1:9092");
  EXPECT_TRUE(broker.up);
  EXPECT_TRUE(broker.wanted);
  EXPECT_EQ(broker.retries, 3);
  EXPECT_EQ(broker.timeouts, 2);
  EXPECT_EQ(broker.round_trip_p50, absl::Microseconds(410));
  EXPECT_EQ(broker.round_trip_p99, absl::Microseconds(2047));
}

TEST(Statistics, TakeMissingAndStrangeFieldsAsNothing) {
  const auto statistics = ParseStatistics(R"({"msg_cnt":"many","brokers":{"a":1,"b":{"rtt":[]}}})");
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->queued_records, 0);
  ASSERT_EQ(statistics->brokers.size(), 1u);
  EXPECT_FALSE(statistics->brokers.front().up);
  EXPECT_FALSE(ParseStatistics("").ok());
  EXPECT_FALSE(ParseStatistics("[]").ok());
}

}  // namespace
}  // namespace bv::kafka
