#include "services/outbox-relay/relay/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bv::relay {
namespace {

std::vector<std::pair<std::string, std::string>> HeadersOf(const kafka::Record& record) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const kafka::Header& header : record.headers) headers.emplace_back(header.name, header.value);
  return headers;
}

TEST(Record, IsACloudEventInBinaryMode) {
  const OutboxEvent event{.tenant_id = "demo",
                          .id = "018bf9e5-5400-7fd4-b89a-60db4739b1a6",
                          .aggregate_type = "ecommerce.order.order",
                          .aggregate_id = "ord_1",
                          .type = "ecommerce.order.order.created.v1",
                          .payload = R"({ "producer" : "order-service" })",
                          .aggregate_version = "1",
                          .occurred_at = "2026-11-21 02:08:00.5+00",
                          .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          .correlation_id = "c-1"};
  const SchemaIds no_ids("");
  RecordBuilder builder(no_ids);
  const kafka::Record record = builder.Build(event);
  EXPECT_EQ(record.topic, "ecommerce.order.order");
  EXPECT_EQ(record.key, "ord_1");
  EXPECT_EQ(record.value, event.payload);
  EXPECT_THAT(HeadersOf(record),
              ::testing::ElementsAre(
                  ::testing::Pair("ce_id", "018bf9e5-5400-7fd4-b89a-60db4739b1a6"),
                  ::testing::Pair("ce_type", "ecommerce.order.order.created.v1"),
                  ::testing::Pair("ce_source", "order-service"),
                  ::testing::Pair("ce_time", "2026-11-21T02:08:00.500000Z"),
                  ::testing::Pair("ce_specversion", "1.0"), ::testing::Pair("ce_partitionkey", "ord_1"),
                  ::testing::Pair("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                  ::testing::Pair("aggregateVersion", "1"), ::testing::Pair("tenantId", "demo"),
                  ::testing::Pair("correlationId", "c-1")));
}

TEST(Record, HasNoHeaderForWhatTheEventLacks) {
  const OutboxEvent event{
      .id = "i", .aggregate_type = "t", .aggregate_id = "k", .type = "a.b", .payload = "{}"};
  const SchemaIds no_ids("");
  RecordBuilder builder(no_ids);
  EXPECT_THAT(
      HeadersOf(builder.Build(event)),
      ::testing::ElementsAre(::testing::Pair("ce_id", "i"), ::testing::Pair("ce_type", "a.b"),
                             ::testing::Pair("ce_source", "/b"), ::testing::Pair("ce_specversion", "1.0"),
                             ::testing::Pair("ce_partitionkey", "k")));
}

}  // namespace
}  // namespace bv::relay
