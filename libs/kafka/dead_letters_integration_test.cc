#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/kafka/dead_letters.h"
#include "libs/testing/kafka/broker_link.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"

namespace bv::kafka {
namespace {

class DeadLettersTest : public ::testing::Test {
 protected:
  ConsumerSettings Settings() const { return {.brokers = testing::Environment("BV_KAFKA_BROKERS")}; }
  Message SomeMessage() const {
    return {.topic = source_.name(),
            .partition = 2,
            .offset = 41,
            .key = "hld_1",
            .value = "{not JSON",
            .headers = {{"tenantId", "acme"}}};
  }

  const testing::KafkaTopic source_;
  const testing::KafkaTopic dead_{DeadLetterTopic(source_.name(), "cart")};
};

TEST_F(DeadLettersTest, KeepTheMessageAndSayWhy) {
  dead_.Create(1);
  DeadLetters dead_letters(Settings(), "cart");
  ASSERT_TRUE(dead_letters.Put(SomeMessage(), InvalidValue("eventId", "must be a string")).ok());
  ASSERT_TRUE(dead_letters.Put(SomeMessage(), absl::InternalError("no reason")).ok());
  const std::vector<testing::Seen> seen = dead_.Read(2);
  EXPECT_EQ(seen[0].key, "hld_1");
  EXPECT_EQ(seen[0].value, "{not JSON");
  const std::map<std::string, std::string> expected = {
      {"tenantId", "acme"},
      {"__connect.errors.topic", source_.name()},
      {"__connect.errors.partition", "2"},
      {"__connect.errors.offset", "41"},
      {"__connect.errors.connector.name", "cart"},
      {"__connect.errors.exception.class.name", "INVALID_VALUE"},
      {"__connect.errors.exception.message", "eventId must be a string"}};
  EXPECT_EQ(seen[0].headers, expected);
  EXPECT_EQ(seen[1].headers.at("__connect.errors.exception.class.name"), "INTERNAL");
  EXPECT_EQ(seen[1].headers.at("__connect.errors.exception.message"), "no reason");
}

TEST_F(DeadLettersTest, TakeTheLargestMessageOfATopic) {
  dead_.Create(1, {{"max.message.bytes", "2097152"}});
  Message large = SomeMessage();
  large.value = std::string(1'048'000, 'x');
  EXPECT_TRUE(DeadLetters(Settings(), "cart").Put(large, absl::InvalidArgumentError("too strange")).ok());
}

TEST_F(DeadLettersTest, SayWhenAMessageIsNotThere) {
  DeadLetters dead_letters(Settings(), "cart");
  EXPECT_TRUE(absl::IsNotFound(dead_letters.Put(SomeMessage(), absl::InternalError("broken"))));
  {
    const testing::BrokerOutage outage;
    EXPECT_TRUE(absl::IsUnavailable(dead_letters.Put(SomeMessage(), absl::InternalError("broken"))));
  }
  dead_.Create(1);
  EXPECT_TRUE(dead_letters.Put(SomeMessage(), absl::InternalError("broken")).ok());
  EXPECT_EQ(dead_.Read(1).size(), 1u);
}

}  // namespace
}  // namespace bv::kafka
