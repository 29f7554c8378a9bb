#include <gtest/gtest.h>

#include "libs/events/envelope.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"

namespace bv::events {
namespace {

constexpr char kEvent[] =
    R"({"eventId":"1","eventType":"t","occurredAt":"2026-01-31T12:00:00Z","payload":{}})";

kafka::Message MessageOf(const testing::KafkaTopic& topic, std::string value, const std::string& tenant) {
  return {.topic = topic.name(), .key = "k", .value = std::move(value), .headers = {{"tenantId", tenant}}};
}

TEST(ReadEvents, PutsAsideWhatIsNoEvent) {
  const testing::KafkaTopic source;
  const testing::KafkaTopic dead(kafka::DeadLetterTopic(source.name(), "group"));
  kafka::DeadLetters dead_letters({.brokers = testing::Environment("BV_KAFKA_BROKERS")}, "group");
  const std::vector<kafka::Message> messages = {
      MessageOf(source, kEvent, "acme"), MessageOf(source, "?", "acme"), MessageOf(source, kEvent, "*"),
      MessageOf(source, kEvent, "globex")};
  EXPECT_FALSE(ReadEvents(messages, dead_letters).ok()) << "there is no topic for dead letters yet";
  dead.Create(1);
  const absl::StatusOr<std::vector<Event>> events = ReadEvents(messages, dead_letters);
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].context.tenant.str(), "acme");
  EXPECT_EQ((*events)[1].context.tenant.str(), "globex");
  EXPECT_EQ(&(*events)[1].message, &messages[3]);
  const std::vector<testing::Seen> put_aside = dead.Read(2);
  EXPECT_EQ(put_aside[0].value, "?");
  EXPECT_EQ(put_aside[0].headers.at("__connect.errors.exception.class.name"), "MALFORMED_JSON");
  EXPECT_EQ(put_aside[1].headers.at("__connect.errors.exception.message").substr(0, 8), "tenantId");
}

}  // namespace
}  // namespace bv::events
