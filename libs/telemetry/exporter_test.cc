#include "libs/telemetry/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "libs/telemetry/http_receiver.h"

namespace bv::telemetry {
namespace {

using ::testing::HasSubstr;

FinishedSpan MakeSpan(const std::string& name) {
  return {.trace_id = "0af7651916cd43dd8448eb211c80319c",
          .span_id = "b7ad6b7169203331",
          .name = name,
          .kind = SpanKind::kServer,
          .start = absl::FromUnixNanos(1'795'000'000'000'000'001),
          .end = absl::FromUnixNanos(1'795'000'000'000'000'501)};
}

double Dropped(const std::string& reason) {
  return Counter("bv_trace_spans_dropped_total", "Spans that were not exported", {{"reason", reason}})
      .Value();
}

std::size_t SpansIn(const std::string& body) {
  rapidjson::Document json;
  json.Parse(body.data(), body.size());
  EXPECT_FALSE(json.HasParseError()) << body;
  return json["resourceSpans"][0]["scopeSpans"][0]["spans"].Size();
}

TEST(ToOtlpJson, IsTheEncodingOfTheStandard) {
  FinishedSpan span = MakeSpan("POST \"/orders\"");
  span.parent_span_id = "00f067aa0ba902b7";
  span.attributes = {{"a", "1"}, {"b", "\xff"}};
  span.error = "INTERNAL: x";
  const std::string text = ToOtlpJson("order", {span, MakeSpan("second")});
  rapidjson::Document json;
  json.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  ASSERT_FALSE(json.HasParseError()) << text;
  const auto& resource = json["resourceSpans"][0];
  EXPECT_STREQ(resource["resource"]["attributes"][0]["key"].GetString(), "service.name");
  EXPECT_STREQ(resource["resource"]["attributes"][0]["value"]["stringValue"].GetString(), "order");
  const auto& spans = resource["scopeSpans"][0]["spans"];
  ASSERT_EQ(spans.Size(), 2u);
  EXPECT_STREQ(spans[0]["traceId"].GetString(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_STREQ(spans[0]["spanId"].GetString(), "b7ad6b7169203331");
  EXPECT_STREQ(spans[0]["parentSpanId"].GetString(), "00f067aa0ba902b7");
  EXPECT_STREQ(spans[0]["name"].GetString(), "POST \"/orders\"");
  EXPECT_EQ(spans[0]["kind"].GetInt(), 2);
  EXPECT_STREQ(spans[0]["startTimeUnixNano"].GetString(), "1795000000000000001");
  EXPECT_STREQ(spans[0]["endTimeUnixNano"].GetString(), "1795000000000000501");
  EXPECT_STREQ(spans[0]["attributes"][1]["key"].GetString(), "b");
  EXPECT_STREQ(spans[0]["attributes"][1]["value"]["stringValue"].GetString(), "\uFFFD");
  EXPECT_EQ(spans[0]["status"]["code"].GetInt(), 2);
  EXPECT_FALSE(spans[1].HasMember("parentSpanId"));
  EXPECT_FALSE(spans[1].HasMember("status"));
  EXPECT_TRUE(spans[1]["attributes"].Empty());
}

TEST(Exporter, PostsBatchesToTheTracesPath) {
  HttpReceiver receiver;
  Exporter exporter(
      {.endpoint = receiver.url() + "/", .service = "order", .batch_max = 10, .linger = absl::Hours(1)});
  for (int i = 0; i < 20; ++i) exporter.Add(MakeSpan("s"));
  const auto requests = receiver.WaitForRequests(2);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_THAT(requests[0].head, HasSubstr("post /v1/traces http/1.1"));
  EXPECT_THAT(requests[0].head, HasSubstr("content-type: application/json"));
  EXPECT_EQ(SpansIn(requests[0].body), 10u);
  EXPECT_EQ(SpansIn(requests[1].body), 10u);
}

TEST(Exporter, AFullBatchDoesNotWaitForTheLinger) {
  HttpReceiver receiver;
  Exporter exporter(
      {.endpoint = receiver.url(), .service = "order", .batch_max = 10, .linger = absl::Hours(1)});
  // Often enough for the exporter to be found in either of its waits.
  for (std::size_t round = 1; round <= 50; ++round) {
    for (int i = 0; i < 10; ++i) {
      exporter.Add(MakeSpan("s"));
      std::this_thread::yield();
    }
    ASSERT_EQ(receiver.WaitForRequests(round).size(), round);
  }
}

TEST(Exporter, AFewSpansGoAfterTheLinger) {
  HttpReceiver receiver;
  Exporter exporter({.endpoint = receiver.url(), .service = "order", .linger = absl::Milliseconds(20)});
  exporter.Add(MakeSpan("s"));
  const auto requests = receiver.WaitForRequests(1);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(SpansIn(requests[0].body), 1u);
}

TEST(Exporter, StopSendsWhatIsQueued) {
  HttpReceiver receiver;
  Exporter exporter({.endpoint = receiver.url(), .service = "order", .linger = absl::Hours(1)});
  for (int i = 0; i < 5; ++i) exporter.Add(MakeSpan("s"));
  exporter.Stop();
  const auto requests = receiver.WaitForRequests(1);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(SpansIn(requests[0].body), 5u);
  const double dropped = Dropped("stopped");
  exporter.Add(MakeSpan("late"));
  EXPECT_EQ(Dropped("stopped"), dropped + 1);
}

TEST(Exporter, TriesAgainWhenTheCollectorIsBusy) {
  HttpReceiver receiver({503, 429});
  Exporter exporter({.endpoint = receiver.url(), .service = "order", .linger = absl::Milliseconds(1)});
  exporter.Add(MakeSpan("s"));
  const auto requests = receiver.WaitForRequests(3);
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].body, requests[2].body);
}

TEST(Exporter, DropsWhatTheCollectorRefuses) {
  HttpReceiver receiver({400});
  const double dropped = Dropped("export_failed");
  Exporter exporter({.endpoint = receiver.url(), .service = "order", .linger = absl::Milliseconds(1)});
  exporter.Add(MakeSpan("bad"));
  ASSERT_EQ(receiver.WaitForRequests(1).size(), 1u);
  exporter.Add(MakeSpan("good"));
  const auto requests = receiver.WaitForRequests(2);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_THAT(requests[1].body, HasSubstr("good"));
  EXPECT_EQ(Dropped("export_failed"), dropped + 1);
}

TEST(Exporter, DropsAndCountsWhatDoesNotFit) {
  HttpReceiver receiver;
  const double dropped = Dropped("queue_full");
  Exporter exporter({.endpoint = receiver.url(),
                     .service = "order",
                     .queue_max = 8,
                     .batch_max = 1000,
                     .linger = absl::Hours(1)});
  for (int i = 0; i < 20; ++i) exporter.Add(MakeSpan("s"));
  EXPECT_EQ(Dropped("queue_full"), dropped + 12);
}

TEST(Exporter, StopIsBoundedWhenTheCollectorIsSilent) {
  HttpReceiver receiver({}, HttpReceiver::Mode::kKeepSilent);
  Exporter exporter({.endpoint = receiver.url(),
                     .service = "order",
                     .linger = absl::Milliseconds(1),
                     .timeout = absl::Hours(1),
                     .flush_max = absl::Milliseconds(200)});
  exporter.Add(MakeSpan("s"));
  ASSERT_EQ(receiver.WaitForRequests(1).size(), 1u);
  for (int i = 0; i < 1000; ++i) exporter.Add(MakeSpan("more"));
  const absl::Time start = absl::Now();
  exporter.Stop();
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
}

TEST(Exporter, ACollectorThatIsAwayCostsOnlySpans) {
  std::string url;
  {
    const HttpReceiver gone;
    url = gone.url();
  }
  const double dropped = Dropped("export_failed");
  Exporter exporter({.endpoint = url, .service = "order", .linger = absl::Milliseconds(1)});
  exporter.Add(MakeSpan("s"));
  const absl::Time start = absl::Now();
  exporter.Stop();
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
  EXPECT_EQ(Dropped("export_failed"), dropped + 1);
}

}  // namespace
}  // namespace bv::telemetry
