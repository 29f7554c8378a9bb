#include <absl/synchronization/mutex.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "libs/base/strings.h"
#include "libs/kafka/consumer.h"
#include "libs/telemetry/telemetry.h"
#include "libs/testing/kafka/broker_link.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"

namespace bv::kafka {
namespace {

using testing::Written;

constexpr absl::Duration kPatience = absl::Seconds(60);

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
  Consumer::Handle Into(Book& book) const {
    return [&book](std::span<const Message> messages) {
      book.Add(messages);
      return absl::OkStatus();
    };
  }
  // `count` messages more, numbered on, spread over ten keys.
  void Write(int count) {
    std::vector<Written> records;
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

TEST_F(ConsumerTest, KeepsTheOrderOfEachPartition) {
  Write(2'000);
  const auto consumer = Start(Into(book_));
  Write(1'000);
  book_.WaitFor(3'000);
  EXPECT_EQ(book_.size(), 3'000u) << "none twice";
  ExpectInOrder(book_.messages());
  EXPECT_THAT(book_.batches(), ::testing::Each(::testing::Le(100u)));
  WaitUntil([&] { return Lag() == 0; });
  EXPECT_EQ(telemetry::Counter("consumer_handled_total", "", {{"group", group_}}).Value(), 3'000);
}

TEST_F(ConsumerTest, HandsOverTheWholeMessage) {
  topic_.Write(
      {{.key = "k", .value = std::string("a\0b", 3), .headers = {{"tenantId", "acme"}, {"empty", ""}}}});
  const auto consumer = Start(Into(book_));
  book_.WaitFor(1);
  const Message message = book_.messages()[0];
  EXPECT_EQ(message.topic, topic_.name());
  EXPECT_EQ(message.offset, 0);
  EXPECT_EQ(message.key, "k");
  EXPECT_EQ(message.value, std::string("a\0b", 3));
  EXPECT_EQ(message.headers.at("tenantId"), "acme");
  EXPECT_EQ(message.headers.at("empty"), "");
  EXPECT_LT(absl::AbsDuration(absl::Now() - message.written_at), absl::Minutes(1));
}

TEST_F(ConsumerTest, HandsABatchThatFailedOverAgain) {
  Write(500);
  Book attempts;
  const auto consumer = Start([&](std::span<const Message> messages) {
    attempts.Add(messages);
    if (attempts.batches().size() <= 3) return absl::UnavailableError("the database is away");
    book_.Add(messages);
    return absl::OkStatus();
  });
  book_.WaitFor(500);
  EXPECT_EQ(book_.size(), 500u);
  ExpectInOrder(book_.messages());
  const std::vector<Message> tried = attempts.messages();
  const std::size_t size = attempts.batches()[0];
  for (std::size_t repeat = 0; repeat < 3; ++repeat) {
    ASSERT_EQ(attempts.batches()[repeat], size);
    for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(tried[repeat * size + i].value, tried[i].value);
  }
  EXPECT_EQ(Failures(), 3);
}

TEST_F(ConsumerTest, StopsWhileABatchFails) {
  Write(300);
  auto consumer = Start([](std::span<const Message>) { return absl::InternalError("never"); });
  WaitUntil([&] { return Failures() >= 4; });
  EXPECT_GE(Lag(), 100);
  const absl::Time begin = absl::Now();
  consumer->Stop();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(2));
  consumer = Start(Into(book_));
  book_.WaitFor(300);
  EXPECT_EQ(book_.size(), 300u);
}

TEST_F(ConsumerTest, AfterAStopTheNextGoesOnWhereItEnded) {
  for (int round = 1; round <= 3; ++round) {
    Write(250);
    const auto consumer = Start(Into(book_));
    book_.WaitFor(static_cast<std::size_t>(round) * 250);
    consumer->Stop();
  }
  EXPECT_EQ(book_.size(), 750u) << "none twice";
}

TEST_F(ConsumerTest, ABatchThatWasNotDurableComesAgainAfterACrash) {
  Write(1'000);
  Book lost;
  auto consumer = Start([&](std::span<const Message> messages) {
    if (book_.size() >= 400) {
      lost.Add(messages);
      return absl::AbortedError("crashed before the commit");
    }
    book_.Add(messages);
    return absl::OkStatus();
  });
  WaitUntil([&] { return lost.size() > 0; });
  consumer.reset();  // without Stop
  consumer = Start(Into(book_));
  book_.WaitFor(1'000);
  ExpectInOrder(book_.messages());
}

TEST_F(ConsumerTest, MembersThatComeAndGoLoseNothing) {
  std::atomic<bool> writing{true};
  std::thread writer([&] {
    while (writing) Write(50);
  });
  const auto first = Start(Into(book_));
  for (int round = 0; round < 3; ++round) {
    Book of_second;
    auto second = Start([&](std::span<const Message> messages) {
      book_.Add(messages);
      of_second.Add(messages);
      return absl::OkStatus();
    });
    WaitUntil([&] { return of_second.size() >= 200; });
    if (round % 2 == 0) second->Stop();
  }
  writing = false;
  writer.join();
  book_.WaitFor(static_cast<std::size_t>(written_));
  ExpectInOrder(book_.messages());
}

TEST_F(ConsumerTest, AMemberThatFailsLetsAnotherJoin) {
  Write(600);
  std::atomic<bool> fails{true};
  const auto first = Start([&](std::span<const Message> messages) {
    if (fails) return absl::UnavailableError("the database is away");
    book_.Add(messages);
    return absl::OkStatus();
  });
  WaitUntil([&] { return Failures() >= 3; });
  Book of_second;
  const auto second = Start([&](std::span<const Message> messages) {
    book_.Add(messages);
    of_second.Add(messages);
    return absl::OkStatus();
  });
  WaitUntil([&] { return of_second.size() > 0; });
  EXPECT_LT(of_second.size(), 600u);
  fails = false;
  book_.WaitFor(600);
  ExpectInOrder(book_.messages());
}

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

TEST_F(ConsumerTest, IsNotCaughtUpBeforeItHasHandledWhatIsThere) {
  Write(10);
  std::atomic<bool> fails{true};
  const auto consumer = Start([&](std::span<const Message> messages) {
    if (fails) return absl::UnavailableError("not yet");
    book_.Add(messages);
    return absl::OkStatus();
  });
  WaitUntil([&] { return Failures() >= 3; });
  EXPECT_FALSE(consumer->caught_up_lately());
  fails = false;
  WaitUntil([&] { return consumer->caught_up_lately(); });
  EXPECT_EQ(book_.size(), 10u);
}

TEST_F(ConsumerTest, TellsWhatWaitsBehindAHandlerThatHangs) {
  std::promise<void> begun, released;
  std::atomic<bool> first{true};
  const auto consumer = Start([&](std::span<const Message> messages) {
    if (first.exchange(false)) {
      begun.set_value();
      released.get_future().wait();
    }
    book_.Add(messages);
    return absl::OkStatus();
  });
  // Where the partitions stand is known.
  WaitUntil([&] { return consumer->caught_up_lately(); });
  Write(1);
  begun.get_future().wait();
  Write(20);
  WaitUntil([&] { return Lag() == 21; });
  const double age = OldestSeconds();
  EXPECT_GT(age, 0);
  WaitUntil([&] { return OldestSeconds() > age; });
  released.set_value();
  book_.WaitFor(21);
  WaitUntil([&] { return Lag() == 0 && OldestSeconds() == 0; });
}

TEST_F(ConsumerTest, TellsWhatWaitsForAJournalThatIsNotThere) {
  Write(20);
  Consumer consumer(MakeSettings(), group_, {topic_.name()}, Consumer::Start::kEarliest, Into(book_),
                    Journal{.topics = {{topic_.name(), topic_.name() + ".journal"}},
                            .read = [](const Message&) {},
                            .forget = [] {},
                            .work = [] {},
                            .keep_from = [](const std::string&, int, std::int64_t read) { return read; }});
  ASSERT_TRUE(consumer.Run().ok());
  WaitUntil([&] { return Lag() == 20 && OldestSeconds() > 0; });
  const double age = OldestSeconds();
  WaitUntil([&] { return OldestSeconds() > age; });
  EXPECT_EQ(book_.size(), 0u);
}

TEST_F(ConsumerTest, StartsAtTheEndOnlyWhereTheGroupIsNew) {
  Write(50);
  auto consumer = Start(Into(book_), Consumer::Start::kLatest);
  // Positions are known, also of partitions that nothing comes from.
  WaitUntil([&] { return consumer->caught_up_lately(); });
  consumer->Stop();
  Write(50);
  consumer = Start(Into(book_), Consumer::Start::kLatest);
  book_.WaitFor(50);
  EXPECT_EQ(book_.messages().size(), 50u);
}

TEST_F(ConsumerTest, AMemberWithANameIsBackAtOnce) {
  ConsumerSettings settings = MakeSettings();
  settings.instance_id = "replica-1";
  settings.session_timeout = absl::Minutes(1);
  for (int round = 1; round <= 3; ++round) {
    Write(100);
    const auto consumer = Start(settings, Into(book_));
    book_.WaitFor(static_cast<std::size_t>(round) * 100);
    if (round < 3) consumer->Stop();
  }
  ExpectInOrder(book_.messages());
}

TEST(Consumer, FindsATopicThatIsMadeLater) {
  const testing::KafkaTopic topic;
  const ConsumerSettings settings{.brokers = testing::Environment("BV_KAFKA_BROKERS"),
                                  .session_timeout = absl::Seconds(6)};
  Book book;
  Consumer consumer(settings, Concat("group.", topic.name()), {topic.name()}, Consumer::Start::kEarliest,
                    [&](std::span<const Message> messages) {
                      book.Add(messages);
                      return absl::OkStatus();
                    });
  ASSERT_TRUE(consumer.Run().ok());
  EXPECT_FALSE(consumer.caught_up_lately());
  topic.Create(1);
  topic.Write({{.key = "k", .value = "1"}});
  book.WaitFor(1);
}

TEST(Consumer, RefusesWrongSettings) {
  Consumer consumer({.brokers = "127.0.0.1:1", .session_timeout = absl::Hours(24)}, "group", {"topic"},
                    Consumer::Start::kEarliest, [](std::span<const Message>) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsInvalidArgument(consumer.Run()));
  consumer.Stop();
}

}  // namespace
}  // namespace bv::kafka
