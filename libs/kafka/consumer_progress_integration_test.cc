// What a consumer tells of what it has yet to handle.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "libs/kafka/consumer_fixture_test.h"

namespace bv::kafka {
namespace {

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

}  // namespace
}  // namespace bv::kafka
