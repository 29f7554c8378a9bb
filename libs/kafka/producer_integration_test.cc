#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <map>
#include <random>

#include "libs/base/strings.h"
#include "libs/kafka/admin.h"
#include "libs/kafka/error.h"
#include "libs/kafka/producer.h"
#include "libs/testing/testing.h"

namespace bv::kafka {
namespace {

class ProducerTest : public ::testing::Test {
 protected:
  ProducerTest() : topic_(Concat("test.kafka.", ::getpid(), ".", absl::ToUnixMicros(absl::Now()))) {}
  ~ProducerTest() override {
    producer_ = Make();
    rd_kafka_queue_t* queue = rd_kafka_queue_new(producer_->handle());
    rd_kafka_DeleteTopic_t* request = rd_kafka_DeleteTopic_new(topic_.c_str());
    rd_kafka_DeleteTopics(producer_->handle(), &request, 1, nullptr, queue);
    if (rd_kafka_event_t* done = rd_kafka_queue_poll(queue, 10'000)) rd_kafka_event_destroy(done);
    rd_kafka_DeleteTopic_destroy(request);
    rd_kafka_queue_destroy(queue);
  }

  std::unique_ptr<Producer> Make() {
    const ProducerSettings settings{.brokers = testing::Environment("BV_KAFKA_BROKERS"),
                                    .client_id = "producer-test",
                                    .compression = "lz4",
                                    .message_bytes_max = 100'000,
                                    .request_timeout = absl::Seconds(10)};
    auto producer =
        Producer::Create(settings, [this](const Delivery& delivery) { deliveries_.push_back(delivery); });
    EXPECT_TRUE(producer.ok()) << producer.status();
    return *std::move(producer);
  }
  void CreateTopic(const std::map<std::string, std::string>& config = {}) {
    const std::vector<TopicSpec> topics = {{.name = topic_, .partitions = 3, .config = config}};
    ASSERT_TRUE(CreateMissingTopics(*producer_, topics, 1, Deadline()).ok());
    ASSERT_TRUE(producer_->Warm(topic_, Deadline()).ok());
  }
  // Waits, by the event descriptor alone, for `count` reports.
  void WaitForReports(std::size_t count) {
    const absl::Time deadline = Deadline();
    while (deliveries_.size() < count && absl::Now() < deadline) {
      pollfd waiting{.fd = producer_->event_fd(), .events = POLLIN, .revents = 0};
      poll(&waiting, 1, 10'000);
      producer_->Poll();
    }
    ASSERT_GE(deliveries_.size(), count);
  }
  static absl::Time Deadline() { return absl::Now() + absl::Seconds(30); }

  const std::string topic_;
  std::vector<Delivery> deliveries_;
  std::unique_ptr<Producer> producer_ = Make();
};

TEST_F(ProducerTest, ReportsEveryRecordInOrderOfItsKey) {
  CreateTopic();
  constexpr std::uint64_t kRecords = 1000;
  for (std::uint64_t tag = 0; tag < kRecords; ++tag) {
    absl::Status produced;
    while (absl::IsResourceExhausted(
        produced = producer_->Produce({.topic = topic_, .key = "key", .value = "v", .tag = tag}))) {
      WaitForReports(1);
    }
    ASSERT_TRUE(produced.ok()) << produced;
  }
  WaitForReports(kRecords);
  ASSERT_EQ(deliveries_.size(), kRecords);
  for (std::uint64_t tag = 0; tag < kRecords; ++tag) {
    EXPECT_EQ(deliveries_[tag].tag, tag);
    EXPECT_TRUE(deliveries_[tag].status.ok()) << deliveries_[tag].status;
  }
  EXPECT_TRUE(producer_->fatal().ok());
}

TEST_F(ProducerTest, TheFirstRecordOfAPartitionTravelsAlone) {
  CreateTopic();
  ASSERT_TRUE(producer_->Produce({.topic = topic_, .key = "key", .value = "1"}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(producer_->Produce({.topic = topic_, .key = "key", .value = "2"})));
  WaitForReports(1);
  EXPECT_TRUE(producer_->Produce({.topic = topic_, .key = "key", .value = "2"}).ok());
  EXPECT_TRUE(producer_->Produce({.topic = topic_, .key = "key", .value = "3"}).ok());
}

TEST_F(ProducerTest, ARefusedRecordEndsTheProducer) {
  CreateTopic({{"max.message.bytes", "1000"}});
  std::mt19937 random(7);
  std::string noise;  // which compression does not make small
  for (int i = 0; i < 5'000; ++i) noise.push_back(static_cast<char>(random()));
  ASSERT_TRUE(producer_->Produce({.topic = topic_, .key = "key", .value = noise, .tag = 5}).ok());
  WaitForReports(1);
  EXPECT_EQ(deliveries_[0].tag, 5u);
  EXPECT_TRUE(IsPermanent(deliveries_[0].status)) << deliveries_[0].status;
  EXPECT_TRUE(absl::IsAborted(producer_->fatal())) << producer_->fatal();
  EXPECT_FALSE(producer_->Produce({.topic = topic_, .key = "key", .value = "small"}).ok());
}

TEST_F(ProducerTest, KnowsWhatItWillNeverSend) {
  EXPECT_TRUE(absl::IsNotFound(producer_->Warm("no.such.topic", Deadline())));
  EXPECT_TRUE(absl::IsNotFound(producer_->Produce({.topic = "no.such.topic", .key = "k", .value = "v"})));
  CreateTopic();
  const absl::Status too_large =
      producer_->Produce({.topic = topic_, .key = "k", .value = std::string(200'000, 'x')});
  EXPECT_TRUE(absl::IsInvalidArgument(too_large)) << too_large;
}

TEST_F(ProducerTest, CreatesWhatIsMissingAndLeavesWhatIsThere) {
  const std::vector<TopicSpec> topics = {{.name = topic_, .partitions = 2}};
  ASSERT_TRUE(CreateMissingTopics(*producer_, topics, 1, Deadline()).ok());
  const std::vector<TopicSpec> other = {{.name = topic_, .partitions = 5}};
  ASSERT_TRUE(CreateMissingTopics(*producer_, other, 1, Deadline()).ok());
  const std::vector<TopicSpec> refused = {
      {.name = topic_ + ".bad", .partitions = 1, .config = {{"no.such.setting", "1"}}}};
  EXPECT_TRUE(absl::IsInvalidArgument(CreateMissingTopics(*producer_, refused, 1, Deadline())));
}

TEST(Producer, RefusesWrongSettings) {
  const auto producer = Producer::Create({.brokers = "127.0.0.1:1",
                                          .compression = "zip",
                                          .message_bytes_max = 1000,
                                          .request_timeout = absl::Seconds(1)},
                                         [](const Delivery&) {});
  EXPECT_TRUE(absl::IsInvalidArgument(producer.status())) << producer.status();
}

TEST(Producer, IsUnavailableWithoutBrokers) {
  const auto producer = Producer::Create({.brokers = "127.0.0.1:1",
                                          .compression = "none",
                                          .message_bytes_max = 1000,
                                          .request_timeout = absl::Seconds(1)},
                                         [](const Delivery&) {});
  ASSERT_TRUE(producer.ok()) << producer.status();
  EXPECT_TRUE(absl::IsUnavailable((*producer)->Warm("topic", absl::Now() + absl::Milliseconds(300))));
}

}  // namespace
}  // namespace bv::kafka
