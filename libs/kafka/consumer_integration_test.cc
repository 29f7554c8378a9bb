#include <gmock/gmock.h>

#include "libs/kafka/consumer.h"
#include "libs/kafka/consumer_fixture_test.h"

namespace bv::kafka {
namespace {

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

TEST(Consumer, FindsATopicThatIsMadeLater) {
  const testing::KafkaTopic topic;
  const ConsumerSettings settings{.brokers = testing::Environment("BV_KAFKA_BROKERS"),
                                  .session_timeout = absl::Seconds(6)};
  Book book;
  Consumer consumer(settings, Concat("group.", topic.name()), {topic.name()}, Consumer::Start::kEarliest,
                    Into(book));
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
