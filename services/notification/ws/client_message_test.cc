#include "services/notification/ws/client_message.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::notification {
namespace {

using Type = ClientMessage::Type;

constexpr std::string_view kOrder = "ord_01hf7yat00fytbh9k0vn3k5d6c";

TEST(ParseClientMessage, ReadsWhatAClientMaySay) {
  auto message = ParseClientMessage(
      R"({"type":"subscribe","orderId":"ord_01hf7yat00fytbh9k0vn3k5d6c","after":7,"new":[]})");
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->type, Type::kSubscribe);
  EXPECT_EQ(message->order_id, kOrder);
  EXPECT_EQ(message->after_version, 7);

  Cursor cursor;
  cursor.Advance({.partition = 3, .offset = 9});
  message = ParseClientMessage(R"({"type":"subscribe","channel":"me","after":")" + cursor.Text() + R"("})");
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(message->order_id, "");
  EXPECT_EQ(message->after_cursor, cursor);

  EXPECT_EQ(ParseClientMessage(R"({"type":"unsubscribe","channel":"me"})")->type, Type::kUnsubscribe);
  EXPECT_EQ(ParseClientMessage(R"({"type":"ack","seq":3})")->type, Type::kAck);
  EXPECT_EQ(ParseClientMessage(R"({"type":"ack","seq":"AQ"})")->type, Type::kAck);
}

TEST(ParseClientMessage, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> bad[] = {
      {"", "MALFORMED_JSON"},
      {"[]", "WRONG_TYPE"},
      {"{}", "UNKNOWN_TYPE"},
      {R"({"type":"publish"})", "UNKNOWN_TYPE"},
      {R"({"type":"ack"})", "INVALID_VALUE"},
      {R"({"type":"subscribe"})", "INVALID_ID"},
      {R"({"type":"subscribe","orderId":"prd_01hf7yat00fytbh9k0vn3k5d6c"})", "INVALID_ID"},
      {R"({"type":"subscribe","channel":"all"})", "UNKNOWN_CHANNEL"},
      {R"({"type":"subscribe","channel":"me","orderId":"ord_01hf7yat00fytbh9k0vn3k5d6c"})", "INVALID_VALUE"},
      {R"({"type":"subscribe","channel":"me","after":7})", "INVALID_CURSOR"},
      {R"({"type":"subscribe","orderId":"ord_01hf7yat00fytbh9k0vn3k5d6c","after":"7"})", "INVALID_VALUE"},
      {R"({"type":"subscribe","orderId":"ord_01hf7yat00fytbh9k0vn3k5d6c","after":-1})", "INVALID_VALUE"},
      {R"({"type":[[[[[]]]]]})", "MALFORMED_JSON"},
  };
  for (const auto& [text, reason] : bad)
    EXPECT_EQ(ErrorReason(ParseClientMessage(text).status()), reason) << text;
}

}  // namespace
}  // namespace bv::notification
