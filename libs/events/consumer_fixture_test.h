// What the consumer's tests share: topics of a group, events with a number, a handler that fails on demand.
#pragma once

#include <absl/synchronization/mutex.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/strings.h"
#include "libs/events/consumer.h"
#include "libs/events/outbox.h"
#include "libs/kafka/dead_letters.h"
#include "libs/telemetry/telemetry.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"

namespace bv::events {

template <class Condition>
void WaitUntil(Condition condition, absl::Duration patience = absl::Seconds(30)) {
  const absl::Time deadline = absl::Now() + patience;
  while (!condition() && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(condition());
}

// The effects of handlers, in any of their threads.
class Book {
 public:
  // The number that the test gave the event.
  static std::string NumberOf(const Event& event) {
    commerce::order::v1::OrderCreated payload;
    EXPECT_TRUE(event.envelope.ParsePayload(payload).ok());
    return payload.user_id();
  }
  void Add(const Event& event) {
    const absl::MutexLock lock(&mutex_);
    effects_.emplace_back(event.message.key, NumberOf(event));
    numbers_.insert(NumberOf(event));
  }
  void Add(std::span<const Event> events) {
    for (const Event& event : events) Add(event);
  }
  // Waits until so many different ones are there.
  void WaitFor(std::size_t count) const {
    const auto enough = [&] { return numbers_.size() >= count; };
    const absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30));
    EXPECT_EQ(numbers_.size(), count);
  }
  // Of a key, in their order.
  std::vector<std::string> Of(const std::string& key) const {
    const absl::MutexLock lock(&mutex_);
    std::vector<std::string> numbers;
    for (const auto& [of, number] : effects_) {
      if (of == key) numbers.push_back(number);
    }
    return numbers;
  }
  std::size_t size() const {
    const absl::MutexLock lock(&mutex_);
    return effects_.size();
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::pair<std::string, std::string>> effects_;
  std::set<std::string> numbers_;
};

class ConsumerFixture : public ::testing::Test {
 protected:
  static constexpr int kPartitions = 3;

  ConsumerFixture() {
    options_.group = Concat("group.", topic_.name());
    options_.topics = {topic_.name()};
    options_.types = TypeNames<commerce::order::v1::OrderCreated>();
    options_.short_pauses = {absl::Milliseconds(10)};
    options_.retry_pauses = std::vector<absl::Duration>(100, absl::Milliseconds(200));
    topic_.Create(kPartitions);
    retries_.Create(kPartitions, {{"cleanup.policy", "compact"}});
    dead_letters_.Create(1);
  }

  static kafka::ConsumerSettings Settings() {
    return {.brokers = testing::Environment("BV_KAFKA_BROKERS"),
            .batch_max = 100,
            .session_timeout = absl::Seconds(6)};
  }
  std::unique_ptr<Consumer> Start(Consumer::Handle handle) const {
    return Start(Settings(), std::move(handle));
  }
  std::unique_ptr<Consumer> Start(const kafka::ConsumerSettings& settings, Consumer::Handle handle) const {
    auto consumer = std::make_unique<Consumer>(settings, options_, std::move(handle));
    EXPECT_TRUE(consumer->Start().ok());
    return consumer;
  }
  // Notes in `book` what it handles. A batch with an event that is sick has no effect and fails.
  Consumer::Handle Into(Book& book) {
    return [this, &book](std::span<const Event> events) -> absl::StatusOr<Answers> {
      for (const Event& event : events) {
        if (IsSick(Book::NumberOf(event))) return absl::InternalError(Book::NumberOf(event) + " is sick");
      }
      book.Add(events);
      return AllDone(events);
    };
  }
  void Infect(const std::string& number) {
    const absl::MutexLock lock(&mutex_);
    sick_.insert(number);
  }
  bool IsSick(const std::string& number) {
    const absl::MutexLock lock(&mutex_);
    return sick_.contains(number);
  }
  void Cure() {
    const absl::MutexLock lock(&mutex_);
    sick_.clear();
  }

  void Write(const std::string& key, const std::string& number) const {
    topic_.Write({EventOf(key, number)});
  }
  static testing::Written EventOf(const std::string& key, const std::string& number) {
    commerce::order::v1::OrderCreated payload;
    payload.set_order_id(key);
    payload.set_user_id(number);
    payload.set_currency("EUR");
    const auto row = MakeRow(payload, 1, absl::Now(), testing::ContextOf("acme"));
    EXPECT_TRUE(row.ok()) << row.status();
    return {.key = key, .value = row->payload, .headers = {{"tenantId", "acme"}}};
  }

  double Outcome(const char* outcome) const {
    return telemetry::Counter("consumer_events_total", "",
                              {{"group", options_.group}, {"topic", topic_.name()}, {"outcome", outcome}})
        .Value();
  }
  double ParkedEvents() const { return GaugeOf("consumer_parked_events"); }
  double ParkedKeys() const { return GaugeOf("consumer_parked_keys"); }
  double DeadKeys() const { return GaugeOf("consumer_dead_keys"); }

  testing::KafkaTopic topic_;
  ConsumerOptions options_;
  testing::KafkaTopic retries_{RetryTopic(topic_.name(), "group." + topic_.name())};
  testing::KafkaTopic dead_letters_{kafka::DeadLetterTopic(topic_.name(), "group." + topic_.name())};
  Book book_;

 private:
  double GaugeOf(const char* name) const {
    return telemetry::Gauge(name, "", {{"group", options_.group}, {"topic", topic_.name()}}).Value();
  }

  absl::Mutex mutex_;
  std::set<std::string> sick_;
};

}  // namespace bv::events
