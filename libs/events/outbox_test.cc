#include "libs/events/outbox.h"

#include <gtest/gtest.h>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/error.h"

namespace bv::events {
namespace {

commerce::order::v1::OrderCreated Example() {
  commerce::order::v1::OrderCreated event;
  event.set_order_id("ORDER-123");
  event.set_user_id("USER-9");
  event.set_total_amount(12950);
  event.set_currency("USD");
  auto* item = event.add_items();
  item->set_product_id("P1");
  item->set_qty(2);
  item->set_price(2500);
  return event;
}

const absl::Time kNoon =
    absl::FromCivil(absl::CivilSecond(2026, 1, 31, 12, 0, 0), absl::UTCTimeZone()) + absl::Microseconds(7);

// The canonical example of the requirements, with its order of names and its decimals.
TEST(Envelope, IsTheCanonicalExample) {
  const OutboxRow row{.id = "0198c5a0-0000-7000-8000-000000000001",
                      .key = "ORDER-123",
                      .occurred_at = kNoon,
                      .correlation_id = "correlation-1"};
  std::string envelope;
  ASSERT_TRUE(AppendEnvelope(Example(), row, "4bf92f3577b34da6a3ce929d0e0e4736", envelope).ok());
  EXPECT_EQ(envelope,
            R"({"eventId":"0198c5a0-0000-7000-8000-000000000001",)"
            R"("eventType":"ecommerce.order.order.created.v1",)"
            R"("occurredAt":"2026-01-31T12:00:00.000007Z",)"
            R"("producer":"order-service",)"
            R"("traceId":"4bf92f3577b34da6a3ce929d0e0e4736",)"
            R"("correlationId":"correlation-1",)"
            R"("schemaVersion":"1.1",)"
            R"("partitionKey":"ORDER-123",)"
            R"("payload":{"orderId":"ORDER-123","userId":"USER-9","totalAmount":129.50,"currency":"USD",)"
            R"("items":[{"productId":"P1","qty":2,"price":25.00}]}})");
}

TEST(Envelope, EscapesWhatCallersSent) {
  const OutboxRow row{.id = "1", .key = "k", .occurred_at = kNoon, .correlation_id = "\"},\n\\"};
  std::string envelope;
  ASSERT_TRUE(AppendEnvelope(Example(), row, "", envelope).ok());
  EXPECT_NE(envelope.find(R"("correlationId":"\"},\n\\",)"), std::string::npos) << envelope;
}

TEST(MakeRow, TakesTenantAndTraceFromTheRequest) {
  RequestContext context;
  context.tenant = TenantId::Trusted("acme");
  context.trace = {
      .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736", .span_id = "00f067aa0ba902b7", .sampled = true};
  context.correlation_id = "correlation-1";
  const absl::StatusOr<OutboxRow> row = MakeRow(Example(), 3, kNoon, context);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->topic, "ecommerce.order.order");
  EXPECT_EQ(row->type, "ecommerce.order.order.created.v1");
  EXPECT_EQ(row->key, "ORDER-123");
  EXPECT_EQ(row->aggregate_version, 3);
  EXPECT_EQ(row->occurred_at, kNoon);
  EXPECT_EQ(row->tenant, "acme");
  EXPECT_EQ(row->traceparent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  EXPECT_EQ(row->correlation_id, "correlation-1");
  EXPECT_TRUE(row->payload.starts_with("{\"eventId\":\"" + row->id + "\",")) << row->payload;
  EXPECT_NE(MakeRow(Example(), 3, kNoon, context)->id, row->id);
}

TEST(MakeRow, GivesWhatNoRequestCausedATraceOfItsOwn) {
  const absl::StatusOr<OutboxRow> row = MakeRow(Example(), 1, kNoon, {});
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->correlation_id.size(), 32U);
  EXPECT_EQ(row->traceparent.substr(3, 32), row->correlation_id);
  EXPECT_NE(row->payload.find(R"("traceId":")" + row->correlation_id), std::string::npos) << row->payload;
}

TEST(MakeRow, AnAmountWithoutACurrencyIsAnError) {
  commerce::order::v1::OrderCreated event = Example();
  event.clear_currency();
  const absl::Status status = MakeRow(event, 1, kNoon, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorReason(status), "JSON_NOT_WRITTEN");
}

TEST(MakeRow, WhatItsSchemaDoesNotAllowIsAnError) {
  commerce::order::v1::OrderCreated event = Example();
  event.clear_order_id();
  const absl::Status status = MakeRow(event, 1, kNoon, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorReason(status), "EVENT_NOT_VALID");
  EXPECT_EQ(GetErrorDetail(status).field, "/partitionKey");
}

}  // namespace
}  // namespace bv::events
