#include "libs/events/handling_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/telemetry/http_receiver.h"
#include "libs/telemetry/tracing.h"

namespace bv::events {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSampled[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr char kNotSampled[] = "00-11111111111111111111111111111111-b7ad6b7169203332-00";

kafka::Message MessageOf(const std::string& key, const std::string& traceparent) {
  kafka::Message message{
      .topic = "orders",
      .partition = 3,
      .offset = 7,
      .key = key,
      .value = R"({"eventId":"1","eventType":"t","occurredAt":"2026-01-31T12:00:00Z","payload":{}})"};
  message.headers = {{"tenantId", "demo"}, {"ce_type", "t"}};
  if (!traceparent.empty()) message.headers["traceparent"] = traceparent;
  return message;
}

class HandlingSpansTest : public ::testing::Test {
 protected:
  HandlingSpansTest() { telemetry::SetExporter(exporter_, 0); }
  ~HandlingSpansTest() override { telemetry::SetExporter(nullptr, 0); }

  // What was exported, when all spans have ended.
  std::string Exported() {
    exporter_->Stop();
    std::string all;
    for (const auto& request : receiver_.WaitForRequests(1)) all += request.body;
    return all;
  }

  telemetry::HttpReceiver receiver_;
  std::shared_ptr<telemetry::Exporter> exporter_ =
      std::make_shared<telemetry::Exporter>(telemetry::ExporterSettings{
          .endpoint = receiver_.url(), .service = "analytics", .linger = absl::Milliseconds(1)});
};

TEST_F(HandlingSpansTest, ABatchHasASpanForEachSampledEvent) {
  const std::vector<kafka::Message> messages = {MessageOf("silent-key", kNotSampled),
                                                MessageOf("heard-key", kSampled)};
  std::vector<Event> events;
  for (const kafka::Message& message : messages) events.push_back(ReadEvent(message).value());
  {
    HandlingSpans spans("analytics", events);
    EXPECT_EQ(events[0].context.trace.ToTraceparent(), kNotSampled);
    EXPECT_EQ(events[1].context.trace.trace_id, "0af7651916cd43dd8448eb211c80319c");
    EXPECT_NE(events[1].context.trace.ToTraceparent(), kSampled) << "the handler's work hangs below the span";
    spans.Fail(1, absl::InternalError("broken"));
  }
  EXPECT_EQ(events[1].context.trace.ToTraceparent(), kSampled)
      << "a second attempt hangs where the first did";
  const std::string exported = Exported();
  EXPECT_THAT(exported, HasSubstr(R"("parentSpanId":"b7ad6b7169203331","name":"process orders","kind":5)"));
  EXPECT_THAT(exported,
              HasSubstr(R"({"key":"messaging.kafka.message.key","value":{"stringValue":"heard-key"}})"));
  EXPECT_THAT(exported, HasSubstr(R"("message":"INTERNAL: broken")"));
  EXPECT_THAT(exported, Not(HasSubstr("silent-key")));
}

TEST_F(HandlingSpansTest, AFailedBatchFailsAllOfThem) {
  const std::vector<kafka::Message> messages = {MessageOf("a", kSampled), MessageOf("b", kSampled)};
  std::vector<Event> events;
  for (const kafka::Message& message : messages) events.push_back(ReadEvent(message).value());
  { HandlingSpans("analytics", events).Fail(absl::UnavailableError("away")); }
  const std::string exported = Exported();
  EXPECT_NE(exported.find("UNAVAILABLE: away"), exported.rfind("UNAVAILABLE: away"));
}

TEST_F(HandlingSpansTest, AMessageByItself) {
  EXPECT_FALSE(HandlingSpan("notification", MessageOf("key", kNotSampled)));
  EXPECT_FALSE(HandlingSpan("notification", MessageOf("key", ""))) << "nobody's trace is nobody's";
  const auto span = HandlingSpan("notification", MessageOf("key", kSampled));
  ASSERT_TRUE(span);
  EXPECT_TRUE(span->recorded());
}

}  // namespace
}  // namespace bv::events
