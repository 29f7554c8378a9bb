// A broker of librdkafka's own, that answers as a real one does in the moment after it has come back.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <atomic>
#include <future>

#include "libs/kafka/consumer.h"

namespace bv::kafka {
namespace {

constexpr char kTopic[] = "test.begin";
constexpr std::int16_t kOffsetFetch = 9;  // https://kafka.apache.org/protocol#protocol_api_keys
constexpr std::chrono::seconds kPatience{60};

class MockBroker {
 public:
  MockBroker()
      : client_(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster_(rd_kafka_mock_cluster_new(client_, 1)) {
    rd_kafka_mock_topic_create(cluster_, kTopic, 1, 1);
  }
  ~MockBroker() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }

  std::string address() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }

  void Write(const std::string& value) {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", address().c_str(), nullptr, 0);
    rd_kafka_t* const producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    EXPECT_EQ(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(kTopic),
                                RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
              RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_EQ(rd_kafka_flush(producer, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
  }
  void RefuseNextOffsetFetch() {
    rd_kafka_mock_push_request_errors(cluster_, kOffsetFetch, 1, RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
  }

 private:
  rd_kafka_t* const client_;
  rd_kafka_mock_cluster_t* const cluster_;
};

TEST(ConsumerBeginTest, PartitionsThatDoNotBeginAreAskedForAnew) {
  MockBroker broker;
  broker.Write("one");
  broker.RefuseNextOffsetFetch();
  ConsumerSettings settings;
  settings.brokers = broker.address();
  settings.session_timeout = absl::Seconds(6);
  std::promise<std::string> heard;
  std::atomic<bool> is_first = true;
  Consumer consumer(settings, "begin", {kTopic}, Consumer::Start::kEarliest,
                    [&](std::span<const Message> messages) {
                      if (is_first.exchange(false)) heard.set_value(messages.front().value);
                      return absl::OkStatus();
                    });
  ASSERT_TRUE(consumer.Run().ok());
  std::future<std::string> value = heard.get_future();
  ASSERT_EQ(value.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(value.get(), "one");
  consumer.Stop();
}

}  // namespace
}  // namespace bv::kafka
