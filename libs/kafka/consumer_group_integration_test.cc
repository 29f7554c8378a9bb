// Members of one group that come, go, fail and come back.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "libs/kafka/consumer_fixture_test.h"

namespace bv::kafka {
namespace {

TEST_F(ConsumerTest, MembersThatComeAndGoLoseNothing) {
  std::atomic<bool> writing{true};
  std::thread writer([&] {
    while (writing) Write(50);
  });
  const auto first = Start(Into(book_));
  for (int round = 0; round < 3; ++round) {
    Book of_second;
    auto second = Start(Into(book_, of_second));
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
  const auto second = Start(Into(book_, of_second));
  WaitUntil([&] { return of_second.size() > 0; });
  EXPECT_LT(of_second.size(), 600u);
  fails = false;
  book_.WaitFor(600);
  ExpectInOrder(book_.messages());
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

}  // namespace
}  // namespace bv::kafka
