#include "services/mqtt-ingest/events/outgoing.h"

#include <gtest/gtest.h>

#include <map>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/events/envelope.h"
#include "libs/rpc/timestamp.h"

namespace bv::mqtt_ingest {
namespace {

const Topics kTopics("ecommerce.inventory.device");
const absl::Time kNow = absl::FromUnixMicros(1'795'000'000'123'456);

Received Of(std::string payload, std::string topic = "iot/inventory/TENT/delta",
            std::string account = "acme/press-1") {
  Received received{.at = kNow,
                    .topic = std::move(topic),
                    .account = std::move(account),
                    .id = "run-7",
                    .payload = std::move(payload)};
  received.payload_bytes = received.payload.size();
  return received;
}

std::map<std::string, std::string> HeadersOf(const Outgoing& outgoing) {
  return {outgoing.headers.begin(), outgoing.headers.end()};
}

// "" for an event.
std::string ReasonOf(const Received& received) {
  const Outgoing outgoing = OutgoingOf(kTopics, received, 1);
  EXPECT_EQ(outgoing.topic.ends_with(".dlq"),
            HeadersOf(outgoing).contains("__connect.errors.exception.class.name"));
  const auto headers = HeadersOf(outgoing);
  const auto found = headers.find("__connect.errors.exception.class.name");
  return found == headers.end() ? "" : found->second;
}

commerce::inventory::v1::DeltaReported PayloadOf(const Outgoing& outgoing) {
  commerce::inventory::v1::DeltaReported payload;
  const auto envelope = events::ParseEnvelope(outgoing.value);
  EXPECT_TRUE(envelope.ok()) << outgoing.value;
  const bool parsed = envelope.ok() && envelope->ParsePayload(payload).ok();
  EXPECT_TRUE(parsed);
  return payload;
}

TEST(OutgoingTest, AReportIsAnEventThatConsumersRead) {
  const Outgoing outgoing =
      OutgoingOf(kTopics, Of(R"({"delta": -2, "reason": "SENSOR", "id": "a1", "locationCode": "BACK"})"), 1);
  EXPECT_EQ(outgoing.topic, "ecommerce.inventory.device");
  EXPECT_EQ(outgoing.key, "TENT");
  const auto payload = PayloadOf(outgoing);
  EXPECT_EQ(payload.sku(), "TENT");
  EXPECT_EQ(payload.device_id(), "press-1");
  EXPECT_EQ(payload.message_id(), "a1");
  EXPECT_EQ(payload.delta(), -2);
  EXPECT_EQ(payload.reason(), "SENSOR");
  EXPECT_EQ(payload.location_code(), "BACK");
  EXPECT_EQ(rpc::FromTimestamp(payload.received_at()), kNow);

  const auto named = HeadersOf(outgoing);
  const kafka::Message message{.value = outgoing.value, .headers = {named.begin(), named.end()}};
  const auto event = events::ReadEvent(message);
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->context.tenant.str(), "acme");
  EXPECT_EQ(event->envelope.trace_id(), event->context.trace.trace_id);
  EXPECT_EQ(event->envelope.event_id(), named.at("ce_id"));
  EXPECT_EQ(named.at("ce_type"), event->envelope.type());
  EXPECT_EQ(named.at("ce_source"), "mqtt-ingest");
  EXPECT_EQ(named.at("aggregateVersion"), "1795000000123456");
}

TEST(OutgoingTest, TheSameMessageIsTheSameEvent) {
  const auto id = [](const Received& received) {
    return HeadersOf(OutgoingOf(kTopics, received, 1)).at("ce_id");
  };
  const std::string named = R"({"delta": 1, "reason": "SENSOR", "id": "a1"})";
  const std::string unnamed = R"({"delta": 1, "reason": "SENSOR"})";
  Received other = Of(unnamed);
  other.id = "run-8";
  EXPECT_EQ(id(Of(unnamed)), id(Of(unnamed)));
  EXPECT_NE(id(Of(unnamed)), id(other));
  other.payload = named;
  other.payload_bytes = named.size();
  EXPECT_EQ(id(Of(named)), id(other)) << "the device's own id counts";
  EXPECT_NE(id(Of(named)), id(Of(named, "iot/inventory/TENT/delta", "acme/press-2")));
  EXPECT_NE(id(Of(named)), id(Of(named, "iot/inventory/TENT/delta", "globex/press-1")));
}

TEST(OutgoingTest, UnknownMembersAreIgnored) {
  EXPECT_EQ(ReasonOf(Of(R"({"delta": 5, "reason": "SENSOR", "battery": {"volts": [3.1]}, "sku": 7})")), "");
}

TEST(OutgoingTest, WhatIsNoReportSaysWhy) {
  const std::map<std::string, std::string> reasons = {
      {"", "MALFORMED_JSON"},
      {"delta -2", "MALFORMED_JSON"},
      {"[-2]", "MALFORMED_JSON"},
      {R"({"delta": -2, "reason": "SENSOR"}})", "MALFORMED_JSON"},
      {"{\"delta\": -2, \"reason\": \"\xff\"}", "MALFORMED_JSON"},
      {std::string(4'000, '['), "MALFORMED_JSON"},
      {R"({"reason": "SENSOR"})", "WRONG_TYPE"},
      {R"({"delta": "-2", "reason": "SENSOR"})", "WRONG_TYPE"},
      {R"({"delta": -2.5, "reason": "SENSOR"})", "WRONG_TYPE"},
      {R"({"delta": null, "reason": "SENSOR"})", "WRONG_TYPE"},
      {R"({"delta": 9223372036854775808, "reason": "SENSOR"})", "WRONG_TYPE"},
      {R"({"delta": 0, "reason": "SENSOR"})", "INVALID_VALUE"},
      {R"({"delta": 1000000001, "reason": "SENSOR"})", "INVALID_VALUE"},
      {R"({"delta": -1000000001, "reason": "SENSOR"})", "INVALID_VALUE"},
      {R"({"delta": -2})", "INVALID_VALUE"},
      {R"({"delta": -2, "reason": "sensor"})", "INVALID_VALUE"},
      {R"({"delta": -2, "reason": 7})", "WRONG_TYPE"},
      {R"({"delta": -2, "reason": "SENSOR", "id": 7})", "WRONG_TYPE"},
      {R"({"delta": -2, "reason": "SENSOR", "id": ""})", "INVALID_VALUE"},
      {R"({"delta": -2, "reason": "SENSOR", "id": ")" + std::string(65, 'x') + R"("})", "INVALID_VALUE"},
      {R"({"delta": -2, "reason": "SENSOR", "id": "a\u0000b"})", "INVALID_VALUE"},
      {R"({"delta": -2, "reason": "SENSOR", "locationCode": "A B"})", "INVALID_VALUE"}};
  for (const auto& [payload, reason] : reasons) EXPECT_EQ(ReasonOf(Of(payload)), reason) << payload;
  const std::string good = R"({"delta": -2, "reason": "SENSOR"})";
  EXPECT_EQ(ReasonOf(Of(good)), "");
  EXPECT_EQ(ReasonOf(Of(good, "iot/inventory/quota:x/delta")), "INVALID_VALUE");
  EXPECT_EQ(ReasonOf(Of(good, "iot/inventory/TENT/delta", "")), "ACCOUNT_MISSING");
  EXPECT_EQ(ReasonOf(Of(good, "iot/inventory/TENT/delta", "ingest")), "ACCOUNT_UNKNOWN");
  Received large = Of(good);
  large.payload_bytes = 1 << 20;
  EXPECT_EQ(ReasonOf(large), "PAYLOAD_TOO_LARGE");
}

TEST(OutgoingTest, ADeadLetterSaysWhoAndWhere) {
  const Outgoing letter = OutgoingOf(kTopics, Of("nonsense"), 4'711);
  EXPECT_EQ(letter.topic, "ecommerce.inventory.device.mqtt-ingest.dlq");
  EXPECT_EQ(letter.value, "nonsense");
  EXPECT_EQ(letter.key, "acme/press-1");
  const auto headers = HeadersOf(letter);
  EXPECT_EQ(headers.at("__connect.errors.topic"), "iot/inventory/TENT/delta");
  EXPECT_EQ(headers.at("__connect.errors.offset"), "4711");
  EXPECT_EQ(headers.at("account"), "acme/press-1");
  EXPECT_EQ(headers.at("receivedAt"), "2026-11-18T11:06:40.123456Z");
}

TEST(ReceivedTest, ComesBackAsItWas) {
  Received received = Of(std::string("\0\xff{", 3));
  received.payload_bytes = 70'000;
  const std::string record = Encode(received);
  const auto back = Decode(record);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(Encode(*back), record);
  EXPECT_EQ(back->at, kNow);
  EXPECT_EQ(back->payload, received.payload);
  EXPECT_EQ(back->payload_bytes, 70'000U);
  for (std::size_t size = 0; size < record.size(); ++size)
    EXPECT_FALSE(Decode(record.substr(0, size)).ok()) << size;
  EXPECT_FALSE(Decode(record + "x").ok());
}

}  // namespace
}  // namespace bv::mqtt_ingest
