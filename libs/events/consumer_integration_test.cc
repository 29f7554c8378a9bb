#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/events/consumer.h"
#include "libs/events/consumer_fixture_test.h"
#include "libs/events/consumer_parked.h"
#include "libs/kafka/writer.h"
#include "libs/testing/kafka/broker_link.h"

namespace bv::events {
namespace {

using ::testing::ElementsAre;

class ConsumerTest : public ConsumerFixture {};

TEST_F(ConsumerTest, HandsEventsOverInTheOrderOfTheirKeys) {
  for (int i = 0; i < 300; ++i) Write(Concat("key-", i % 7), Concat(i));
  const auto consumer = Start(Into(book_));
  book_.WaitFor(300);
  int last = -1;
  for (const std::string& number : book_.Of("key-3")) {
    EXPECT_GT(std::stoi(number), last);
    last = std::stoi(number);
  }
  EXPECT_EQ(book_.size(), 300u) << "none twice";
  WaitUntil([&] { return Outcome("done") == 300; });
}

TEST_F(ConsumerTest, AnEventThatFailsHoldsUpItsKeyOnly) {
  Infect("p1");
  Write("poison", "p1");
  Write("poison", "p2");
  Write("well", "w1");
  const auto consumer = Start(Into(book_));
  book_.WaitFor(1);
  WaitUntil([&] { return ParkedEvents() == 2; });
  Write("poison", "p3");
  Write("well", "w2");
  WaitUntil([&] { return ParkedEvents() == 3; });
  book_.WaitFor(2);
  EXPECT_THAT(book_.Of("well"), ElementsAre("w1", "w2"));
  EXPECT_THAT(book_.Of("poison"), ElementsAre());
  EXPECT_EQ(ParkedKeys(), 1);
  Cure();
  book_.WaitFor(5);
  EXPECT_THAT(book_.Of("poison"), ElementsAre("p1", "p2", "p3"));
  WaitUntil([&] { return ParkedEvents() == 0; });
  Write("poison", "p4");
  book_.WaitFor(6);
  EXPECT_THAT(book_.Of("poison"), ElementsAre("p1", "p2", "p3", "p4"));
}

TEST_F(ConsumerTest, WhatIsParkedOutlivesACrash) {
  Infect("p1");
  Write("poison", "p1");
  Write("poison", "p2");
  kafka::ConsumerSettings settings = Settings();
  settings.instance_id = "one";
  auto consumer = Start(settings, Into(book_));
  WaitUntil([&] { return ParkedEvents() == 2; });
  consumer.reset();  // without Stop
  Write("poison", "p3");
  Write("well", "w1");
  consumer = Start(settings, Into(book_));
  book_.WaitFor(1);
  WaitUntil([&] { return ParkedEvents() == 3; });
  Cure();
  book_.WaitFor(4);
  EXPECT_THAT(book_.Of("poison"), ElementsAre("p1", "p2", "p3"));
}

TEST_F(ConsumerTest, AfterTheLastAttemptItIsADeadLetterAndItsKeyStaysParked) {
  options_.retry_pauses = {absl::Milliseconds(50), absl::Milliseconds(50)};
  Infect("p1");
  Write("poison", "p1");
  auto consumer = Start(Into(book_));
  const std::vector<testing::Seen> dead = dead_letters_.Read(1);
  EXPECT_EQ(dead[0].key, "poison");
  EXPECT_EQ(dead[0].headers.at("__connect.errors.topic"), topic_.name());
  EXPECT_EQ(dead[0].headers.at("__connect.errors.exception.class.name"), "INTERNAL");
  EXPECT_EQ(dead[0].headers.at("__connect.errors.exception.message"), "p1 is sick");
  EXPECT_EQ(dead[0].headers.at("group"), options_.group);
  EXPECT_EQ(dead[0].headers.at("attempts"), "4") << "one, after a short pause, and after each retry pause";
  EXPECT_EQ(dead[0].headers.at("tenantId"), "acme");
  EXPECT_EQ(dead[0].headers.at("eventId").size(), 36u);
  WaitUntil([&] { return DeadKeys() == 1; });
  // As long as nobody redrives or drops it, also over a restart.
  consumer->Stop();
  Cure();
  Write("poison", "p2");
  consumer = Start(Into(book_));
  Write("well", "w1");
  book_.WaitFor(1);
  WaitUntil([&] { return ParkedEvents() == 2; });
  EXPECT_THAT(book_.Of("poison"), ElementsAre());
  EXPECT_EQ(DeadKeys(), 1);
}

// What `tools/bv dlq` writes.
class OperatorTest : public ConsumerTest {
 protected:
  OperatorTest() { options_.retry_pauses = {absl::Milliseconds(50)}; }

  void Redrive(const std::string& key, const std::string& number) {
    const testing::Written event = EventOf(key, number);
    Say(ParkedEvent{.message = {.key = event.key, .value = event.value, .headers = {{"tenantId", "acme"}}}});
  }
  void Drop() { Say(std::nullopt); }

 private:
  void Say(std::optional<ParkedEvent> event) {
    const testing::Seen dead = dead_letters_.Read(1)[0];
    const kafka::Message record =
        ToMessage({.event = std::move(event),
                   .topic = topic_.name(),
                   .partition = std::stoi(dead.headers.at("__connect.errors.partition")),
                   .offset = std::stoi(dead.headers.at("__connect.errors.offset")),
                   .writer = "tools/bv"});
    std::vector<kafka::Header> headers;
    for (const auto& [name, value] : record.headers) headers.push_back({name, value});
    const kafka::Record written{.topic = retries_.name(),
                                .key = record.key,
                                .value = record.value,
                                .headers = headers,
                                .partition = record.partition};
    EXPECT_TRUE(kafka::Writer(Settings(), "operator").Write({&written, 1}).ok());
  }
};

TEST_F(OperatorTest, ARedrivenEventComesBeforeWhatIsParkedBehindIt) {
  Infect("p1");
  Write("poison", "p1");
  const auto consumer = Start(Into(book_));
  WaitUntil([&] { return DeadKeys() == 1; });
  Write("poison", "p2");
  WaitUntil([&] { return ParkedEvents() == 2; });
  Cure();
  Redrive("poison", "p1");
  book_.WaitFor(2);
  EXPECT_THAT(book_.Of("poison"), ElementsAre("p1", "p2"));
  WaitUntil([&] { return ParkedEvents() == 0; });
}

TEST_F(OperatorTest, WhatFollowsADroppedEventGoesOn) {
  Infect("p1");
  Write("poison", "p1");
  const auto consumer = Start(Into(book_));
  WaitUntil([&] { return DeadKeys() == 1; });
  Write("poison", "p2");
  WaitUntil([&] { return ParkedEvents() == 2; });
  Drop();
  book_.WaitFor(1);
  EXPECT_THAT(book_.Of("poison"), ElementsAre("p2"));
  WaitUntil([&] { return ParkedEvents() == 0; });
}

TEST_F(ConsumerTest, WhatIsRefusedIsADeadLetterAndItsKeyGoesOn) {
  const auto consumer = Start([&](std::span<const Event> events) -> absl::StatusOr<Answers> {
    book_.Add(events);
    Answers answers = AllDone(events);
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (Book::NumberOf(events[i]) == "bad")
        answers[i] = Answer::Refused(InvalidValue("payload.qty", "must be 1"));
    }
    return answers;
  });
  Write("k", "bad");
  Write("k", "good");
  topic_.Write({{.key = "k", .value = "no envelope", .headers = {{"tenantId", "acme"}}}});
  Write("k", "better");
  book_.WaitFor(3);
  EXPECT_THAT(book_.Of("k"), ElementsAre("bad", "good", "better"));
  const std::vector<testing::Seen> dead = dead_letters_.Read(2);
  const auto refused =
      std::ranges::find(dead, "no envelope", &testing::Seen::value) == dead.begin() ? dead[1] : dead[0];
  EXPECT_EQ(refused.headers.at("__connect.errors.exception.message"), "payload.qty must be 1");
  EXPECT_EQ(ParkedEvents(), 0);
}

TEST_F(ConsumerTest, WhileTheSinkIsAwayNothingIsParked) {
  std::atomic<bool> away{true};
  std::atomic<int> attempts{0};
  const auto consumer = Start([&](std::span<const Event> events) -> absl::StatusOr<Answers> {
    ++attempts;
    if (away) return absl::UnavailableError("the database is away");
    book_.Add(events);
    return AllDone(events);
  });
  for (int i = 0; i < 20; ++i) Write(Concat("key-", i % 3), Concat(i));
  WaitUntil([&] { return attempts >= 4; });
  EXPECT_EQ(ParkedEvents(), 0);
  away = false;
  book_.WaitFor(20);
  EXPECT_EQ(Outcome("failed"), 0);
}

TEST_F(ConsumerTest, NewerTypesAndFieldsArePassedOver) {
  const auto consumer = Start(Into(book_));
  testing::Written newer = EventOf("k", "n1");
  newer.value.replace(newer.value.find(".created.v1"), 11, ".created.v2");
  testing::Written wider = EventOf("k", "n2");
  wider.value.replace(wider.value.find("\"payload\":{"), 11, "\"payload\":{\"newField\":{\"a\":[1]},");
  topic_.Write({newer, wider});
  book_.WaitFor(1);
  EXPECT_THAT(book_.Of("k"), ElementsAre("n2"));
  EXPECT_EQ(Outcome("passed_over"), 1);
  EXPECT_EQ(Outcome("dead_letter"), 0);
}

TEST_F(ConsumerTest, APartitionTakesWhatIsParkedAlongToAnotherMember) {
  Infect("p1");
  for (int i = 0; i < 9; ++i) Write(Concat("key-", i), Concat("a", i));
  Write("poison", "p1");
  const auto first = Start(Into(book_));
  book_.WaitFor(9);
  WaitUntil([&] { return ParkedEvents() == 1; });
  // Two in one process tell one gauge, so the second's is not asked for.
  auto second = Start(Into(book_));
  Write("poison", "p2");
  for (int i = 0; i < 9; ++i) Write(Concat("key-", i), Concat("b", i));
  book_.WaitFor(18);
  second->Stop();
  second.reset();
  Write("poison", "p3");
  WaitUntil([&] { return ParkedEvents() == 3; });
  Cure();
  book_.WaitFor(21);
  EXPECT_THAT(book_.Of("poison"), ElementsAre("p1", "p2", "p3"));
}

TEST_F(ConsumerTest, WhatCannotBeParkedWaits) {
  Infect("p1");
  const auto consumer = Start(Into(book_));
  Write("well", "w1");
  book_.WaitFor(1);
  {
    const testing::BrokerOutage outage;
    // Nothing can be parked, or even read, and nothing is passed over.
    WaitUntil([&] { return !consumer->caught_up_lately(); });
  }
  Write("poison", "p1");
  Write("poison", "p2");
  Write("well", "w2");
  book_.WaitFor(2);
  WaitUntil([&] { return ParkedEvents() == 2; });
  Cure();
  book_.WaitFor(4);
  EXPECT_THAT(book_.Of("poison"), ElementsAre("p1", "p2"));
}

TEST_F(ConsumerTest, AHandlerThatHangsLosesItsPartitionsAndTheEventComesAgain) {
  kafka::ConsumerSettings settings = Settings();
  settings.handle_max = absl::Seconds(6);
  std::atomic<bool> hangs{true};
  absl::Notification released;
  Book of_slow;
  const auto slow = Start(settings, [&](std::span<const Event> events) -> absl::StatusOr<Answers> {
    of_slow.Add(events);
    if (hangs.exchange(false)) released.WaitForNotification();
    return AllDone(events);
  });
  Write("k", "n1");
  of_slow.WaitFor(1);
  const auto other = Start(Into(book_));
  book_.WaitFor(1);
  EXPECT_GT(telemetry::Gauge("consumer_handling_seconds", "", {{"group", options_.group}}).Value(), 0);
  released.Notify();
  Write("k", "n2");
  WaitUntil([&] { return of_slow.size() + book_.size() >= 3; });
}

}  // namespace
}  // namespace bv::events
