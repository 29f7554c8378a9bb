#include "services/notification/sse/stream_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bv::notification {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SaleEventPtr Sale(SaleEvent::Kind kind, std::string text) {
  auto event = std::make_shared<SaleEvent>();
  event->kind = kind;
  event->text = std::move(text);
  return event;
}

TEST(StreamText, WritesAnEvent) {
  std::string out;
  AppendSale(*Sale(SaleEvent::Kind::kEnded, R"({"a":1})"), "AQ", out);
  EXPECT_EQ(out, "id: AQ\nevent: ended\ndata: {\"a\":1}\n\n");
}

TEST(StreamText, ALineBreakDoesNotEndTheEvent) {
  std::string out;
  AppendSale(*Sale(SaleEvent::Kind::kStarted, "{\n\n}"), "AQ", out);
  EXPECT_EQ(out, "id: AQ\nevent: started\ndata: {\ndata: \ndata: }\n\n");
}

TEST(StreamText, WritesASnapshot) {
  std::string out;
  AppendSnapshot({}, "AQ", out);
  EXPECT_EQ(out, "id: AQ\nevent: snapshot\ndata: {\"sales\":[]}\n\n");
  out.clear();
  AppendSnapshot({Sale(SaleEvent::Kind::kStarted, "{1}"), Sale(SaleEvent::Kind::kStarted, "{2}")}, "AQ", out);
  EXPECT_EQ(out, "id: AQ\nevent: snapshot\ndata: {\"sales\":[{1},{2}]}\n\n");
}

TEST(StreamText, TellsNobodyToKeepIt) {
  EXPECT_THAT(StreamHead(""), HasSubstr("\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n"));
  EXPECT_THAT(StreamHead(""), Not(HasSubstr("Access-Control")));
  EXPECT_THAT(StreamHead("https://shop.example"),
              HasSubstr("\r\nAccess-Control-Allow-Origin: https://shop.example\r\nVary: Origin\r\n"));
}

}  // namespace
}  // namespace bv::notification
