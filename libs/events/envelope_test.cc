#include "libs/events/envelope.h"

#include <gtest/gtest.h>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/events/outbox.h"

namespace bv::events {
namespace {

const absl::Time kNoon =
    absl::FromCivil(absl::CivilSecond(2026, 1, 31, 12, 0, 0), absl::UTCTimeZone()) + absl::Microseconds(7);

OutboxRow SomeRow() {
  RequestContext context;
  context.tenant = TenantId::Trusted("acme");
  context.trace = {
      .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736", .span_id = "00f067aa0ba902b7", .sampled = true};
  context.correlation_id = "correlation-1";
  commerce::order::v1::OrderCreated event;
  event.set_order_id("ORDER-123");
  event.set_total_amount(12950);
  event.set_currency("USD");
  return MakeRow(event, 3, kNoon, context).value();
}

TEST(ParseEnvelope, ReadsWhatMakeRowWrote) {
  const OutboxRow row = SomeRow();
  const absl::StatusOr<Envelope> envelope = ParseEnvelope(row.payload);
  ASSERT_TRUE(envelope.ok()) << envelope.status();
  EXPECT_EQ(envelope->event_id(), row.id);
  EXPECT_EQ(envelope->type(), "ecommerce.order.order.created.v1");
  EXPECT_TRUE(envelope->Is<commerce::order::v1::OrderCreated>());
  EXPECT_FALSE(envelope->Is<commerce::order::v1::OrderPaid>());
  EXPECT_EQ(envelope->producer(), "order-service");
  EXPECT_EQ(envelope->trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(envelope->correlation_id(), "correlation-1");
  EXPECT_EQ(envelope->partition_key(), "ORDER-123");
  EXPECT_EQ(envelope->occurred_at(), kNoon);
  commerce::order::v1::OrderCreated event;
  ASSERT_TRUE(envelope->ParsePayload(event).ok());
  EXPECT_EQ(event.order_id(), "ORDER-123");
  EXPECT_EQ(event.total_amount(), 12950);
  EXPECT_EQ(envelope->PayloadText("orderId"), "ORDER-123");
  EXPECT_EQ(envelope->PayloadText("storeCode"), "");
}

TEST(ParseEnvelope, PassesOverWhatANewerWriterAdded) {
  const auto envelope = ParseEnvelope(
      R"({"eventId":"1","eventType":"t","occurredAt":"2026-01-31T12:00:00Z","new":[{}],"payload":{"orderId":"O","new":{"a":1}}})");
  ASSERT_TRUE(envelope.ok()) << envelope.status();
  commerce::order::v1::OrderCreated event;
  ASSERT_TRUE(envelope->ParsePayload(event).ok());
  EXPECT_EQ(event.order_id(), "O");
}

TEST(ParseEnvelope, SaysWhatIsMissing) {
  const auto field = [](std::string_view text) {
    const absl::Status status = ParseEnvelope(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    return GetErrorDetail(status).field;
  };
  EXPECT_EQ(field(""), "");
  EXPECT_EQ(field("[]"), "");
  EXPECT_EQ(field("{\"eventId\":\"1\""), "");
  EXPECT_EQ(field(R"({"eventType":"t","occurredAt":"2026-01-31T12:00:00Z"})"), "eventId");
  EXPECT_EQ(field(R"({"eventId":1,"eventType":"t","occurredAt":"2026-01-31T12:00:00Z"})"), "eventId");
  EXPECT_EQ(field(R"({"eventId":"1","occurredAt":"2026-01-31T12:00:00Z"})"), "eventType");
  EXPECT_EQ(field(R"({"eventId":"1","eventType":"t","occurredAt":"noon"})"), "occurredAt");
  const auto empty = ParseEnvelope(R"({"eventId":"1","eventType":"t","occurredAt":"2026-01-31T12:00:00Z"})");
  ASSERT_TRUE(empty.ok());
  commerce::order::v1::OrderCreated event;
  EXPECT_EQ(GetErrorDetail(empty->ParsePayload(event)).field, "payload");
}

TEST(ContextOf, TakesTenantAndTraceFromTheHeaders) {
  kafka::Message message;
  message.headers = {{"tenantId", "acme"},
                     {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
                     {"correlationId", "correlation-1"}};
  const auto context = ContextOf(message);
  ASSERT_TRUE(context.ok()) << context.status();
  EXPECT_EQ(context->tenant.str(), "acme");
  EXPECT_EQ(context->role, Role::kService);
  EXPECT_EQ(context->trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->correlation_id, "correlation-1");
}

TEST(ContextOf, NeedsALegalTenant) {
  for (const char* tenant : {"", "*", "a,b", "ACME"}) {
    kafka::Message message;
    message.headers = {{"tenantId", tenant}};
    EXPECT_EQ(GetErrorDetail(ContextOf(message).status()).field, "tenantId") << tenant;
  }
  EXPECT_FALSE(ContextOf({}).ok());
}

}  // namespace
}  // namespace bv::events
