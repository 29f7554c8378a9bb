#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "libs/kafka/consumer_fixture_test.h"
#include "libs/kafka/follower.h"
#include "libs/testing/kafka/broker_link.h"

namespace bv::kafka {
namespace {

class FollowerTest : public ConsumerTest {
 protected:
  std::unique_ptr<Follower> Follow(Book& book, absl::Duration history = absl::InfiniteDuration()) const {
    return Follow(book, {topic_.name()}, history);
  }
  std::unique_ptr<Follower> Follow(Book& book, std::vector<std::string> topics,
                                   absl::Duration history) const {
    auto follower = std::make_unique<Follower>(
        MakeSettings(),
        Follower::Options{.client_id = topic_.name(), .topics = std::move(topics), .history = history},
        [&book](std::span<const Message> messages) { book.Add(messages); });
    const absl::Status started = follower->Start();
    EXPECT_TRUE(started.ok()) << started;
    return follower;
  }
};

TEST_F(FollowerTest, EveryFollowerSeesEverythingOnce) {
  Write(1'000);
  Book other;
  const auto follower = Follow(book_);
  const auto another = Follow(other);
  book_.WaitFor(1'000);
  other.WaitFor(1'000);
  WaitUntil([&] { return follower->caught_up() && another->caught_up(); });
  Write(100);
  book_.WaitFor(1'100);
  other.WaitFor(1'100);
  for (const Book* book : {&book_, &other}) {
    EXPECT_EQ(book->size(), 1'100u);
    ExpectInOrder(book->messages());
    EXPECT_LE(std::ranges::max(book->batches()), 100u);
  }
}

TEST_F(FollowerTest, BeginsWithItsHistory) {
  Write(50);
  // Times of records are whole milliseconds.
  const absl::Time between = absl::Now() + absl::Milliseconds(2);
  while (absl::Now() < between + absl::Milliseconds(2)) std::this_thread::yield();
  Write(50);
  const auto follower = Follow(book_, absl::Now() - between);
  book_.WaitFor(50);
  WaitUntil([&] { return follower->caught_up(); });
  const std::vector<Message> messages = book_.messages();
  EXPECT_EQ(messages.size(), 50u);
  for (const Message& message : messages) EXPECT_GE(std::stoi(message.value), 50);
  const auto begins = follower->begins();
  ASSERT_EQ(begins.size(), 3u);
  std::int64_t passed_over = 0;
  for (const auto& [partition, offset] : begins) passed_over += offset;
  EXPECT_EQ(passed_over, 50);
}

TEST_F(FollowerTest, GoesOnWhereItWasWhenTheBrokersAreBack) {
  const auto follower = Follow(book_);
  Write(100);
  book_.WaitFor(100);
  WaitUntil([&] { return follower->caught_up(); });
  {
    const testing::BrokerOutage outage;
    WaitUntil([&] { return !follower->caught_up(); });
  }
  Write(100);
  book_.WaitFor(200);
  WaitUntil([&] { return follower->caught_up(); });
  EXPECT_EQ(book_.size(), 200u) << "nothing comes again";
  ExpectInOrder(book_.messages());
}

TEST_F(FollowerTest, WaitsForBrokersAndTopics) {
  const testing::KafkaTopic later;
  std::unique_ptr<Follower> follower;
  {
    const testing::BrokerOutage outage;
    follower = Follow(book_, {topic_.name(), later.name()}, absl::InfiniteDuration());
    EXPECT_FALSE(follower->caught_up());
  }
  Write(10);
  later.Create(1);
  later.Write({{.key = "key", .value = "later"}});
  book_.WaitFor(11);
  WaitUntil([&] { return follower->caught_up(); });
  EXPECT_EQ(book_.size(), 11u);
}

TEST_F(FollowerTest, PassesOverWhatWasDeletedBeforeItCame) {
  const testing::KafkaTopic deleted;
  deleted.Create(1);
  Book deleted_book;
  absl::Notification written;
  Follower follower(
      MakeSettings(),
      {.client_id = "test", .topics = {topic_.name(), deleted.name()}, .history = absl::InfiniteDuration()},
      [&](std::span<const Message> messages) {
        for (const Message& message : messages) {
          if (message.topic != deleted.name()) {
            book_.Add({&message, 1});
          } else {
            written.WaitForNotification();
            if (deleted_book.size() == 0) deleted.DeleteBefore(0, 40);
            deleted_book.Add({&message, 1});
          }
        }
      });
  ASSERT_TRUE(follower.Start().ok());
  Write(10);
  book_.WaitFor(10);
  std::vector<testing::Written> records;
  for (int i = 0; i < 40; ++i) records.push_back({.key = "key", .value = std::string(500'000, 'x')});
  records.push_back({.key = "key", .value = "last"});
  deleted.Write(records);
  written.Notify();
  deleted_book.WaitFor(2);
  Write(10);
  book_.WaitFor(20);
  follower.Stop();
  std::vector<std::int64_t> offsets;
  for (const Message& message : deleted_book.messages()) offsets.push_back(message.offset);
  EXPECT_TRUE(std::ranges::is_sorted(offsets));
  EXPECT_LT(offsets.size(), 41u) << "more was in memory than may be";
  EXPECT_EQ(book_.size(), 20u) << "other partitions go on where they were";
}

TEST_F(FollowerTest, StopsWithTheBrokersAway) {
  const auto follower = Follow(book_);
  Write(10);
  book_.WaitFor(10);
  const testing::BrokerOutage outage;
  const absl::Time begin = absl::Now();
  follower->Stop();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

}  // namespace
}  // namespace bv::kafka
