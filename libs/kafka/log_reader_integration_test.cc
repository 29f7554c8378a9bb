#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <future>
#include <thread>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/kafka/log_reader.h"
#include "libs/testing/kafka/broker_link.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"

namespace bv::kafka {
namespace {

using testing::Written;

constexpr absl::Duration kPatience = absl::Seconds(30);

class LogReaderTest : public ::testing::Test {
 protected:
  static ConsumerSettings MakeSettings() { return {.brokers = testing::Environment("BV_KAFKA_BROKERS")}; }

  // `count` messages more, numbered on.
  void Write(int count) {
    std::vector<Written> records;
    for (int i = 0; i < count; ++i, ++written_) {
      records.push_back({.key = "key", .value = Concat(written_), .headers = {{"number", Concat(written_)}}});
    }
    topic_.Write(records);
  }
  // Messages of one transaction, whose end takes an offset of its own.
  void WriteTransaction(int count, bool commit) {
    std::array<char, 256> text{};
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", MakeSettings().brokers.c_str(), nullptr, 0);
    rd_kafka_conf_set(conf, "transactional.id", topic_.name().c_str(), nullptr, 0);
    const std::unique_ptr<rd_kafka_t, void (*)(rd_kafka_t*)> client(
        rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size()), rd_kafka_destroy);
    ASSERT_NE(client, nullptr) << text.data();
    const auto run = [](rd_kafka_error_t* error) {
      ASSERT_EQ(error, nullptr) << rd_kafka_error_string(error);
    };
    run(rd_kafka_init_transactions(client.get(), 30'000));
    run(rd_kafka_begin_transaction(client.get()));
    for (int i = 0; i < count; ++i, ++written_) {
      const std::string value = Concat(written_);
      ASSERT_EQ(rd_kafka_producev(client.get(), RD_KAFKA_V_TOPIC(topic_.name().c_str()),
                                  RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    ASSERT_EQ(rd_kafka_flush(client.get(), 30'000), RD_KAFKA_RESP_ERR_NO_ERROR);
    run(commit ? rd_kafka_commit_transaction(client.get(), 30'000)
               : rd_kafka_abort_transaction(client.get(), 30'000));
  }

  // A transaction's end is written after it was promised.
  void WaitForEnd(std::int64_t end) {
    const absl::Time deadline = Deadline();
    while (reader_.RangesOf(topic_.name(), deadline)->at(0).end < end && absl::Now() < deadline)
      std::this_thread::yield();
    ASSERT_EQ(reader_.RangesOf(topic_.name(), deadline)->at(0).end, end);
  }

  absl::Status Read(OffsetRange range, int partition = 0) {
    read_.clear();
    return reader_.Read(topic_.name(), partition, range, {}, [this](std::span<const Message> messages) {
      for (const Message& message : messages) read_.push_back(message);
      return absl::OkStatus();
    });
  }
  std::vector<std::string> Values() const {
    std::vector<std::string> values;
    for (const Message& message : read_) values.push_back(message.value);
    return values;
  }
  absl::Time Deadline() const { return absl::Now() + kPatience; }

  testing::KafkaTopic topic_;
  LogReader reader_{MakeSettings(), "test", 1 << 20};
  std::vector<Message> read_;
  int written_ = 0;
};

using Texts = std::vector<std::string>;

TEST_F(LogReaderTest, ReadsExactlyTheRange) {
  topic_.Create(1);
  Write(1'000);
  EXPECT_EQ(reader_.RangesOf(topic_.name(), Deadline())->at(0).end, 1'000);
  ASSERT_TRUE(Read({3, 6}).ok());
  EXPECT_EQ(Values(), (Texts{"3", "4", "5"}));
  EXPECT_EQ(read_[0].offset, 3);
  EXPECT_EQ(read_[0].headers.at("number"), "3");
  ASSERT_TRUE(Read({0, 1'000}).ok());
  ASSERT_EQ(read_.size(), 1'000u);
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(read_[i].value, Concat(i));
  ASSERT_TRUE(Read({7, 7}).ok());
  EXPECT_TRUE(read_.empty());
}

TEST_F(LogReaderTest, ReadsPartitionsAtOnce) {
  topic_.Create(3);
  std::vector<Written> records;
  for (int i = 0; i < 600; ++i) records.push_back({.key = Concat("key-", i % 20), .value = Concat(i)});
  topic_.Write(records);
  const auto ranges = reader_.RangesOf(topic_.name(), Deadline());
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  ASSERT_EQ(ranges->size(), 3u);
  std::vector<std::future<int>> counts;
  for (const auto& [partition, range] : *ranges) {
    counts.push_back(std::async(std::launch::async, [this, number = partition, range = range] {
      int count = 0;
      const absl::Status read =
          reader_.Read(topic_.name(), number, range, {}, [&](std::span<const Message> messages) {
            for (const Message& message : messages) EXPECT_EQ(message.partition, number);
            count += static_cast<int>(messages.size());
            return absl::OkStatus();
          });
      EXPECT_TRUE(read.ok()) << read;
      return count;
    }));
  }
  int count = 0;
  for (std::future<int>& part : counts) count += part.get();
  EXPECT_EQ(count, 600);
}

TEST_F(LogReaderTest, PassesOverOffsetsWithoutAMessage) {
  topic_.Create(1);
  Write(1);
  WriteTransaction(2, true);
  // The range ends with the end of the transaction.
  WaitForEnd(4);
  ASSERT_TRUE(Read({0, 4}).ok());
  EXPECT_EQ(Values(), (Texts{"0", "1", "2"}));
  ASSERT_TRUE(Read({3, 4}).ok());
  EXPECT_TRUE(read_.empty());
  WriteTransaction(2, false);
  Write(1);
  WaitForEnd(8);
  ASSERT_TRUE(Read({1, 8}).ok());
  EXPECT_EQ(Values(), (Texts{"1", "2", "5"}));
  ASSERT_TRUE(Read({3, 7}).ok());
  EXPECT_TRUE(read_.empty()) << "the next message is behind the range";
}

TEST_F(LogReaderTest, ABeginningThatIsGoneIsAnError) {
  topic_.Create(1);
  Write(10);
  topic_.DeleteBefore(0, 4);
  EXPECT_EQ(reader_.RangesOf(topic_.name(), Deadline())->at(0).begin, 4);
  EXPECT_EQ(ErrorReason(Read({3, 10})), "LOG_INCOMPLETE");
  EXPECT_TRUE(read_.empty());
  ASSERT_TRUE(Read({4, 10}).ok());
  EXPECT_EQ(read_.size(), 6u);
  EXPECT_EQ(ErrorReason(Read({4, 11})), "LOG_INCOMPLETE") << "never written";
}

TEST_F(LogReaderTest, AMessageLargerThanAnAnswerComesWhole) {
  topic_.Create(1);
  const std::string large(900'000, 'x');
  topic_.Write(
      {{.key = "key", .value = "before"}, {.key = "key", .value = large}, {.key = "key", .value = "behind"}});
  const absl::Status read = Read({0, 3});
  ASSERT_TRUE(read.ok()) << read;
  EXPECT_EQ(Values(), (std::vector<std::string>{"before", large, "behind"}));
}

TEST_F(LogReaderTest, WhatIsDeletedMeanwhileIsAnError) {
  topic_.Create(1);
  // More than waits in memory.
  constexpr int kMessages = 40;
  std::vector<Written> records(kMessages, {.key = "key", .value = std::string(500'000, 'x')});
  topic_.Write(records);
  int seen = 0;
  const absl::Status read =
      reader_.Read(topic_.name(), 0, {0, kMessages}, {}, [&](std::span<const Message> messages) {
        if (seen == 0) topic_.DeleteBefore(0, kMessages - 1);
        seen += static_cast<int>(messages.size());
        return absl::OkStatus();
      });
  EXPECT_EQ(ErrorReason(read), "LOG_INCOMPLETE") << seen << ": " << read;
}

TEST_F(LogReaderTest, FindsOffsetsByTime) {
  topic_.Create(2);
  Write(5);
  const auto partition_of_key = [this] {
    const auto ranges = reader_.RangesOf(topic_.name(), Deadline());
    return ranges->at(0).end > 0 ? 0 : 1;
  };
  const int partition = partition_of_key();
  // Times of records are whole milliseconds.
  const absl::Time between = absl::Now() + absl::Milliseconds(2);
  while (absl::Now() < between + absl::Milliseconds(2)) std::this_thread::yield();
  Write(5);
  const auto at = [&](absl::Time time) {
    const auto offsets = reader_.OffsetsAt(topic_.name(), time, Deadline());
    EXPECT_TRUE(offsets.ok()) << offsets.status();
    EXPECT_EQ(offsets->at(1 - partition), 0) << "the empty one";
    return offsets->at(partition);
  };
  EXPECT_EQ(at(between), 5);
  EXPECT_EQ(at(between - absl::Hours(1)), 0);
  EXPECT_EQ(at(absl::Now() + absl::Hours(1)), 10);
}

TEST_F(LogReaderTest, TopicsThatAreNotThereAreNamed) {
  const auto ranges = reader_.RangesOf(topic_.name(), Deadline());
  EXPECT_TRUE(absl::IsNotFound(ranges.status())) << ranges.status();
}

TEST_F(LogReaderTest, EndsWithTheHandlersError) {
  topic_.Create(1);
  Write(600);
  int batches = 0;
  const absl::Status read = reader_.Read(topic_.name(), 0, {0, 600}, {}, [&](std::span<const Message>) {
    ++batches;
    return absl::DataLossError("enough");
  });
  EXPECT_EQ(read, absl::DataLossError("enough"));
  EXPECT_EQ(batches, 1);
  ASSERT_TRUE(Read({0, 600}).ok());
  EXPECT_EQ(read_.size(), 600u);
}

TEST_F(LogReaderTest, AStopEndsItAlsoWhenTheBrokersAreAway) {
  topic_.Create(1);
  Write(10);
  ASSERT_TRUE(Read({0, 10}).ok());
  std::stop_source stop;
  std::future<absl::Status> read;
  {
    const testing::BrokerOutage outage;
    read = std::async(std::launch::async, [&] {
      return reader_.Read(topic_.name(), 0, {0, 10}, stop.get_token(),
                          [](std::span<const Message>) { return absl::OkStatus(); });
    });
    EXPECT_EQ(read.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
    stop.request_stop();
    EXPECT_TRUE(absl::IsCancelled(read.get()));
  }
  ASSERT_TRUE(Read({0, 10}).ok());
  EXPECT_EQ(read_.size(), 10u);
}

}  // namespace
}  // namespace bv::kafka
