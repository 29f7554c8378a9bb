// What the consumer's tests share: a topic and a group of their own, a book of what handlers saw.
#pragma once

#include <absl/synchronization/mutex.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/strings.h"
#include "libs/kafka/consumer.h"
#include "libs/telemetry/telemetry.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"

namespace bv::kafka {

inline constexpr absl::Duration kPatience = absl::Seconds(60);

// What handlers saw, in any of their threads.
class Book {
 public:
  void Add(std::span<const Message> messages) {
    const absl::MutexLock lock(&mutex_);
    for (const Message& message : messages) messages_.push_back(message);
    for (const Message& message : messages) numbers_.insert(message.value);
    batches_.push_back(messages.size());
  }
  // Waits until so many different values were seen.
  void WaitFor(std::size_t values) {
    const auto seen = [&] { return numbers_.size() >= values; };
    const absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&seen), kPatience);
    EXPECT_EQ(numbers_.size(), values) << "after " << messages_.size() << " messages";
  }
  std::vector<Message> messages() const {
    const absl::MutexLock lock(&mutex_);
    return messages_;
  }
  std::vector<std::size_t> batches() const {
    const absl::MutexLock lock(&mutex_);
    return batches_;
  }
  std::size_t size() const { return messages().size(); }

 private:
  mutable absl::Mutex mutex_;
  std::vector<Message> messages_;
  std::vector<std::size_t> batches_;
  std::set<std::string> numbers_;
};

template <class Condition>
void WaitUntil(Condition condition) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (!condition() && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(condition());
}

// A handler that notes in all the books what it is given.
template <class... Books>
Consumer::Handle Into(Books&... books) {
  return [&books...](std::span<const Message> messages) {
    (books.Add(messages), ...);
    return absl::OkStatus();
  };
}

class ConsumerTest : public ::testing::Test {
 protected:
  ConsumerTest() : group_(Concat("group.", topic_.name())) { topic_.Create(3); }

  ConsumerSettings MakeSettings() const {
    return {.brokers = testing::Environment("BV_KAFKA_BROKERS"),
            .batch_max = 100,
            .session_timeout = absl::Seconds(6)};
  }
  std::unique_ptr<Consumer> Start(Consumer::Handle handle,
                                  Consumer::Start start = Consumer::Start::kEarliest) const {
    return Start(MakeSettings(), std::move(handle), start);
  }
  std::unique_ptr<Consumer> Start(const ConsumerSettings& settings, Consumer::Handle handle,
                                  Consumer::Start start = Consumer::Start::kEarliest) const {
    auto consumer = std::make_unique<Consumer>(settings, group_, std::vector<std::string>{topic_.name()},
                                               start, std::move(handle));
    const absl::Status running = consumer->Run();
    EXPECT_TRUE(running.ok()) << running;
    return consumer;
  }
  // `count` messages more, numbered on, spread over ten keys.
  void Write(int count) {
    std::vector<testing::Written> records;
    for (int i = 0; i < count; ++i, ++written_) {
      records.push_back({.key = Concat("key-", written_ % 10), .value = Concat(written_)});
    }
    topic_.Write(records);
  }
  // Repeats left out, the messages of each key came in their order.
  static void ExpectInOrder(const std::vector<Message>& messages) {
    std::map<std::string, int> last;
    for (const Message& message : messages) {
      const int number = std::stoi(message.value);
      const auto [entry, is_first] = last.try_emplace(message.key, number % 10);
      if (is_first) {
        EXPECT_EQ(number, number % 10) << message.key;
      } else if (number > entry->second) {
        EXPECT_EQ(number, entry->second + 10) << message.key;
        entry->second = number;
      }
    }
  }
  double Failures() const {
    return telemetry::Counter("consumer_failures_total", "", {{"group", group_}}).Value();
  }
  double Lag() const {
    return telemetry::Gauge("consumer_lag", "", {{"group", group_}, {"topic", topic_.name()}}).Value();
  }
  double OldestSeconds() const {
    return telemetry::Gauge("consumer_oldest_unprocessed_seconds", "", {{"group", group_}}).Value();
  }

  testing::KafkaTopic topic_;
  const std::string group_;
  int written_ = 0;
  Book book_;
};

}  // namespace bv::kafka
