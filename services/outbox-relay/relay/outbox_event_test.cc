#include "services/outbox-relay/relay/outbox_event.h"

#include <gtest/gtest.h>

namespace bv::relay {
namespace {

const std::vector<std::string> kNames = {
    "tenant_id", "id",         "aggregatetype",     "aggregateid", "type",        "payload",
    "seq",       "new_column", "aggregate_version", "occurred_at", "traceparent", "correlation_id"};

TEST(OutboxEvent, IsReadByTheNamesOfTheColumns) {
  const auto columns = OutboxColumns::Find(kNames);
  ASSERT_TRUE(columns.ok()) << columns.status();
  const auto event =
      columns->Read({"demo", "i", "topic", "key", "t", "{}", "1", "new", "7", "at", std::nullopt, "c"});
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->tenant_id, "demo");
  EXPECT_EQ(event->aggregate_type, "topic");
  EXPECT_EQ(event->aggregate_id, "key");
  EXPECT_EQ(event->payload, "{}");
  EXPECT_EQ(event->aggregate_version, "7");
  EXPECT_EQ(event->traceparent, "");
  EXPECT_EQ(event->correlation_id, "c");
}

TEST(OutboxEvent, NeedsItsColumnsAndValues) {
  auto names = kNames;
  names[5] = "body";
  EXPECT_EQ(OutboxColumns::Find(names).status().message(), "outbox.event has no column payload");
  const auto columns = OutboxColumns::Find(kNames);
  EXPECT_FALSE(columns->Read({"demo"}).ok());
  EXPECT_FALSE(
      columns->Read({"demo", "i", "topic", std::nullopt, "t", "{}", "1", "", "7", "at", "", "c"}).ok());
}

TEST(OutboxEvent, TimeBecomesRfc3339) {
  EXPECT_EQ(Rfc3339("2026-11-21 02:08:00.123456+00"), "2026-11-21T02:08:00.123456Z");
  EXPECT_EQ(Rfc3339("2026-11-21 02:08:00+00"), "2026-11-21T02:08:00.000000Z");
  for (const char* other :
       {"", "infinity", "2026-11-21 02:08:00+02", "2026-11-21 02:08:00.+00", "0044-03-15 02:08:00 BC+00",
        "2026-11-21 02:08:00.1x+00", "12026-11-21 02:08:00+00"}) {
    EXPECT_FALSE(Rfc3339(other).has_value()) << other;
  }
}

std::string Source(std::string_view payload) {
  return SourceOf({.type = "ecommerce.order.order.created.v1", .payload = payload});
}

TEST(OutboxEvent, SourceIsTheProducerOfTheEnvelope) {
  EXPECT_EQ(Source(R"({"eventId":"e","producer":"order-service","payload":{}})"), "order-service");
  EXPECT_EQ(
      Source(R"({"payload":{"producer":"wrong"},"tags":[{"producer":"wrong"}],"producer":"order-service"})"),
      "order-service");
  // The rest is not looked at: it goes to Kafka as it is.
  EXPECT_EQ(Source(R"({"producer":"order-service", nonsense)"), "order-service");
}

TEST(OutboxEvent, SourceIsMadeFromTheTypeWhereTheEnvelopeHasNone) {
  for (const char* payload :
       {"", "nonsense", "{}", "[]", R"({"producer":7})", R"({"producer":{"producer":"x"}})",
        R"([{"producer":"x"}])", R"({"payload":{"producer":"x"}})", R"({"producer":null})"}) {
    EXPECT_EQ(Source(payload), "/order") << payload;
  }
  EXPECT_EQ(SourceOf({.type = "plain", .payload = "{}"}), "/plain");
  EXPECT_EQ(Source(std::string(1'000'000, '[')), "/order");
}

}  // namespace
}  // namespace bv::relay
