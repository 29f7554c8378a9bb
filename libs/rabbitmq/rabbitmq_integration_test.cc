// Against a RabbitMQ of the test's own, which is killed on the way.
#include <absl/synchronization/mutex.h>
#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/strings.h"
#include "libs/rabbitmq/consumer.h"
#include "libs/rabbitmq/publisher.h"
#include "libs/testing/rabbitmq_server.h"

namespace bv::rabbitmq {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

// What came, in any order; the consumer's thread adds.
class Book {
 public:
  void Add(std::vector<Incoming> messages) {
    const absl::MutexLock lock(&mutex_);
    for (Incoming& message : messages) {
      at_[message.body] = MonotonicNow();
      messages_.push_back(std::move(message));
    }
  }
  std::vector<Incoming> WaitFor(std::size_t count) {
    const auto enough = [&] { return messages_.size() >= count; };
    const absl::MutexLock lock(&mutex_);
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience)) << messages_.size();
    return messages_;
  }
  std::set<std::string> WaitForDifferent(std::size_t count) {
    const auto enough = [&] { return at_.size() >= count; };
    const absl::MutexLock lock(&mutex_);
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience)) << at_.size();
    std::set<std::string> bodies;
    for (const auto& [body, at] : at_) bodies.insert(body);
    return bodies;
  }
  absl::Time at(const std::string& body) {
    const absl::MutexLock lock(&mutex_);
    return at_[body];
  }
  std::size_t size() {
    const absl::MutexLock lock(&mutex_);
    return messages_.size();
  }

 private:
  absl::Mutex mutex_;
  std::vector<Incoming> messages_;
  std::map<std::string, absl::Time> at_;
};

// The publisher comes first everywhere: of two that declare one quorum queue at the same moment RabbitMQ
// answers one before the queue takes messages, and refuses its first.
class RabbitmqTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<testing::RabbitmqServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  RabbitmqTest() : queue_(Concat("test.", UuidToBase32(NewUuid()))) {
    settings_ = {.address = server_->address(),
                 .user = testing::RabbitmqServer::kUser,
                 .password = config::Secret(testing::RabbitmqServer::kPassword),
                 .heartbeat = absl::Seconds(2)};
    topology_.queues.push_back({.name = queue_, .single_active_consumer = true});
  }

  std::unique_ptr<Consumer> Consume(Consumer::Handlers handlers, int prefetch = 100) {
    auto consumer = std::make_unique<Consumer>(
        settings_,
        Consumer::Options{.client = "test", .queues = {queue_}, .prefetch = prefetch, .topology = topology_},
        std::move(handlers));
    consumer->Start();
    return consumer;
  }
  // Notes what comes; acknowledges nothing.
  static Consumer::Handlers Into(Book& book) {
    return {.on_messages = [&book](std::vector<Incoming> messages) { book.Add(std::move(messages)); }};
  }
  std::vector<Outgoing> Numbered(int count) const {
    std::vector<Outgoing> messages;
    for (int i = 0; i < count; ++i)
      messages.push_back(
          {.exchange = "", .routing_key = queue_, .body = Concat(i), .headers = {{"n", Concat(i)}}});
    return messages;
  }
  static absl::Time Soon() { return MonotonicNow() + kPatience; }

  static std::unique_ptr<testing::RabbitmqServer> server_;
  const std::string queue_;
  Settings settings_;
  Topology topology_;
};
std::unique_ptr<testing::RabbitmqServer> RabbitmqTest::server_;

TEST_F(RabbitmqTest, WhatIsPublishedComesInItsOrderWithItsHeaders) {
  Publisher publisher(settings_, topology_, "test");
  ASSERT_EQ(publisher.Publish(Numbered(1000), Soon()), absl::OkStatus());
  Book book;
  std::unique_ptr<Consumer> consumer;
  consumer = Consume({.on_messages = [&](std::vector<Incoming> messages) {
    std::vector<Tag> tags;
    for (const Incoming& message : messages) tags.push_back(message.tag);
    book.Add(std::move(messages));
    consumer->Ack(tags);
  }});
  const std::vector<Incoming> messages = book.WaitFor(1000);
  ASSERT_EQ(messages.size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(messages[i].body, Concat(i));
    EXPECT_EQ(messages[i].headers.at("n"), Concat(i));
    EXPECT_EQ(messages[i].queue, queue_);
  }
}

TEST_F(RabbitmqTest, NoMoreThanThePrefetchIsOutAtOnceAndWhatIsNotAcknowledgedComesAgain) {
  Publisher publisher(settings_, topology_, "test");
  ASSERT_EQ(publisher.Publish(Numbered(30), Soon()), absl::OkStatus());
  Book first, second;
  {
    const std::unique_ptr<Consumer> consumer = Consume(Into(first), 10);
    const std::vector<Incoming> messages = first.WaitFor(10);
    consumer->Ack(std::vector<Tag>{messages[0].tag, messages[1].tag, messages[5].tag});
    first.WaitFor(13);
  }
  EXPECT_EQ(first.size(), 13u);
  const std::unique_ptr<Consumer> consumer = Consume(Into(second), 100);
  const std::set<std::string> left = second.WaitForDifferent(27);
  EXPECT_EQ(left.size(), 27u);
  for (const char* acknowledged : {"0", "1", "5"}) EXPECT_FALSE(left.contains(acknowledged));
}

TEST_F(RabbitmqTest, WhatIsGivenBackComesAgain) {
  Publisher publisher(settings_, topology_, "test");
  ASSERT_EQ(publisher.Publish(Numbered(1), Soon()), absl::OkStatus());
  Book book;
  const std::unique_ptr<Consumer> consumer = Consume(Into(book));
  consumer->Requeue(std::vector<Tag>{book.WaitFor(1)[0].tag});
  EXPECT_TRUE(book.WaitFor(2)[1].redelivered);
}

TEST_F(RabbitmqTest, OfTwoConsumersOneGetsAllUntilItGoes) {
  Publisher publisher(settings_, topology_, "test");
  ASSERT_EQ(publisher.Publish(Numbered(1), Soon()), absl::OkStatus());
  Book first, second;
  std::unique_ptr<Consumer> active = Consume(Into(first));
  first.WaitFor(1);
  const std::unique_ptr<Consumer> spare = Consume(Into(second));
  ASSERT_EQ(publisher.Publish(Numbered(20), Soon()), absl::OkStatus());
  first.WaitFor(21);
  EXPECT_EQ(second.size(), 0u);
  active.reset();
  EXPECT_EQ(second.WaitFor(21).size(), 21u);
}

TEST_F(RabbitmqTest, AMessageThatHasWaitedGoesBackByItsOwnRoutingKey) {
  topology_.exchanges = {{queue_ + ".wait", Exchange::Kind::kFanout},
                         {queue_ + ".work", Exchange::Kind::kDirect}};
  topology_.queues.push_back(
      {.name = queue_ + ".wait", .message_ttl = absl::Seconds(1), .dead_letters = queue_ + ".work"});
  topology_.bindings = {{queue_ + ".wait", "", queue_ + ".wait"}, {queue_ + ".work", "key", queue_}};
  Publisher publisher(settings_, topology_, "test");
  const absl::Time published = MonotonicNow();
  const std::vector<Outgoing> message = {{queue_ + ".wait", "key", "body", {{"attempt", "2"}}}};
  ASSERT_EQ(publisher.Publish(message, Soon()), absl::OkStatus());
  Book book;
  const std::unique_ptr<Consumer> consumer = Consume(Into(book));
  EXPECT_EQ(book.WaitFor(1)[0].headers.at("attempt"), "2");
  EXPECT_GE(book.at("body") - published, absl::Milliseconds(999));
  EXPECT_LE(book.at("body") - published, absl::Seconds(2));
}

TEST_F(RabbitmqTest, AMessageThatGoesToNoQueueIsNamedAndTheQueuesAreDeclaredAnew) {
  Publisher publisher(settings_, topology_, "test");
  ASSERT_EQ(publisher.Publish(Numbered(1), Soon()), absl::OkStatus());
  server_->Control({"delete_queue", queue_});
  const absl::Status status = publisher.Publish(Numbered(3), Soon());
  EXPECT_EQ(ErrorReason(status), "UNROUTABLE");
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(queue_));
  EXPECT_EQ(publisher.Publish(Numbered(3), Soon()), absl::OkStatus());
}

TEST_F(RabbitmqTest, AQueueThatIsFullSaysSo) {
  Publisher publisher(settings_, topology_, "test");
  ASSERT_EQ(publisher.Publish(Numbered(1), Soon()), absl::OkStatus());
  server_->Control({"set_policy", "short", Concat("^", queue_, "$"), R"({"max-length": 2})"});
  absl::Status status;
  for (int i = 0; i < 10 && status.ok(); ++i) status = publisher.Publish(Numbered(100), Soon());
  EXPECT_EQ(ErrorReason(status), "RABBITMQ_FULL") << status;
  server_->Control({"clear_policy", "short"});
}

TEST_F(RabbitmqTest, AWrongPasswordIsRefused) {
  settings_.password = config::Secret("wrong");
  Publisher publisher(settings_, topology_, "test");
  EXPECT_FALSE(publisher.Publish(Numbered(1), Soon()).ok());
}

TEST_F(RabbitmqTest, ConnectionsThatAreCutAreMadeAnew) {
  Publisher publisher(settings_, topology_, "test");
  ASSERT_EQ(publisher.Publish(Numbered(1), Soon()), absl::OkStatus());
  Book book;
  const std::unique_ptr<Consumer> consumer = Consume(Into(book));
  const std::vector<Incoming> before = book.WaitFor(1);
  server_->CloseConnections();
  ASSERT_EQ(publisher.Publish(Numbered(1), Soon()), absl::OkStatus());
  const std::vector<Incoming> after = book.WaitFor(3);
  // That of a lost connection names a message of this one, and must not acknowledge it.
  EXPECT_EQ(before[0].tag.number, after[1].tag.number);
  consumer->Ack(std::vector<Tag>{before[0].tag});
  server_->CloseConnections();
  book.WaitFor(5);
}

TEST_F(RabbitmqTest, WhatWasConfirmedOutlivesABrokerThatIsKilled) {
  Publisher publisher(settings_, topology_, "test");
  ASSERT_EQ(publisher.Publish(Numbered(2000), Soon()), absl::OkStatus());
  // Which queues there are the broker writes half a second later; one that it does not know any more is lost.
  server_->Control({"eval", "dets:sync(ra_directory_reverse)."});
  Book book;
  absl::Mutex mutex;
  int lost = 0;
  Consumer::Handlers handlers = Into(book);
  handlers.on_lost = [&](std::uint64_t) {
    const absl::MutexLock lock(&mutex);
    ++lost;
  };
  std::unique_ptr<Consumer> consumer = Consume(std::move(handlers), 10);
  book.WaitFor(10);
  server_->Kill();
  EXPECT_TRUE(absl::IsUnavailable(publisher.Publish(Numbered(1), MonotonicNow() + absl::Milliseconds(200))));
  {
    const absl::MutexLock lock(&mutex);
    EXPECT_TRUE(mutex.AwaitWithTimeout(absl::Condition(
                                           +[](int* count) { return *count == 1; }, &lost),
                                       kPatience));
  }
  server_->Start();
  const std::vector<Incoming> again = book.WaitFor(20);
  EXPECT_EQ(again[10].body, "0");
  Book all;
  const std::unique_ptr<Consumer> other = Consume(Into(all), 5000);
  // It gets its turn when the first has gone.
  consumer.reset();
  EXPECT_EQ(all.WaitForDifferent(2000).size(), 2000u);
}

}  // namespace
}  // namespace bv::rabbitmq
