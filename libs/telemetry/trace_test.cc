#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "libs/telemetry/exporter.h"
#include "libs/telemetry/http_receiver.h"
#include "libs/telemetry/telemetry.h"
#include "libs/telemetry/tracing.h"

namespace bv::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr char kTraceId[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kSpanId[] = "b7ad6b7169203331";

const std::string kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(ParseTraceparent, TakesWhatTheStandardAllows) {
  const struct {
    const char* header;
    bool sampled;
  } kCases[] = {
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", false},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", true},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-f2", false},
      // A later version, without and with what it may append.
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes", true},
  };
  for (const auto& test : kCases) {
    const TraceContext trace = ParseTraceparent(test.header);
    EXPECT_EQ(trace.trace_id, kTraceId) << test.header;
    EXPECT_EQ(trace.span_id, kSpanId) << test.header;
    EXPECT_EQ(trace.sampled, test.sampled) << test.header;
  }
}

TEST(ParseTraceparent, StartsANewTraceForAnythingElse) {
  const std::string cases[] = {
      "",
      "00",
      "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
      "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
      "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.extra",
      "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
      " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      kSampled + std::string(1, '\0'),
      std::string(100'000, '0'),
  };
  std::set<std::string> ids;
  for (const std::string& header : cases) {
    const TraceContext trace = ParseTraceparent(header);
    EXPECT_NE(trace.trace_id, kTraceId) << header;
    EXPECT_THAT(trace.ToTraceparent(), MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-00")) << header;
    // Valid for the next hop.
    EXPECT_EQ(ParseTraceparent(trace.ToTraceparent()).trace_id, trace.trace_id);
    ids.insert(trace.trace_id);
  }
  EXPECT_EQ(ids.size(), std::size(cases));
}

TEST(ToTraceparent, IsTheInverse) {
  EXPECT_EQ(ParseTraceparent(kSampled).ToTraceparent(), kSampled);
  const std::string not_sampled = kSampled.substr(0, 53) + "00";
  EXPECT_EQ(ParseTraceparent(not_sampled).ToTraceparent(), not_sampled);
}

// Spans recorded while this lives go to `receiver`.
class Tracing {
 public:
  explicit Tracing(const HttpReceiver& receiver, double ratio = 1)
      : exporter_(std::make_shared<Exporter>(ExporterSettings{
            .endpoint = receiver.url(), .service = "order", .linger = absl::Milliseconds(1)})) {
    SetExporter(exporter_, ratio);
  }
  ~Tracing() { SetExporter(nullptr, 0); }
  void Flush() { exporter_->Stop(); }

 private:
  std::shared_ptr<Exporter> exporter_;
};

TEST(Span, WithoutAnExporterPassesTheContextOn) {
  Span span("GET", SpanKind::kServer, ParseTraceparent(kSampled));
  EXPECT_EQ(span.context().ToTraceparent(), kSampled);
  span.Set("a", "b");
  span.Fail(absl::InternalError("x"));
  span.End();
}

TEST(Span, OfATraceThatIsNotSampledPassesTheContextOn) {
  HttpReceiver receiver;
  Tracing tracing(receiver);
  const std::string header = kSampled.substr(0, 53) + "00";
  const Span span("GET", SpanKind::kServer, ParseTraceparent(header));
  EXPECT_EQ(span.context().ToTraceparent(), header);
}

TEST(Span, WithoutAParentStartsATrace) {
  const Span span("job", SpanKind::kInternal, TraceContext());
  EXPECT_THAT(span.context().ToTraceparent(), MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-00"));
}

TEST(Span, IsExportedWithItsParent) {
  HttpReceiver receiver;
  Tracing tracing(receiver);
  std::string server_id;
  {
    Span server("POST /orders", SpanKind::kServer, ParseTraceparent(kSampled));
    server_id = server.context().span_id;
    EXPECT_EQ(server.context().trace_id, kTraceId);
    EXPECT_TRUE(server.context().sampled);
    EXPECT_NE(server_id, kSpanId);
    Span client("ReserveStock", SpanKind::kClient, server.context());
    client.Set("tenant", "demo");
    client.Fail(absl::UnavailableError("inventory is away"));
    Span moved = std::move(client);
    moved.End();
    moved.End();
  }
  tracing.Flush();
  std::string all;
  for (const auto& request : receiver.WaitForRequests(1)) all += request.body;
  EXPECT_THAT(all, HasSubstr(std::string(R"("parentSpanId":")") + kSpanId));
  EXPECT_THAT(all, HasSubstr(R"("parentSpanId":")" + server_id));
  EXPECT_THAT(all, HasSubstr(R"({"key":"tenant","value":{"stringValue":"demo"}})"));
  EXPECT_THAT(all, HasSubstr(R"("status":{"code":2,"message":"UNAVAILABLE: inventory is away"})"));
  EXPECT_EQ(all.find("ReserveStock"), all.rfind("ReserveStock")) << "ended twice, sent twice";
}

TEST(Span, TheFirstOfATraceHasNoParent) {
  HttpReceiver receiver;
  Tracing tracing(receiver);
  {
    const TraceContext start = ParseTraceparent("");
    EXPECT_TRUE(start.sampled);
    const Span span("first", SpanKind::kServer, start);
    EXPECT_EQ(span.context().trace_id, start.trace_id);
    EXPECT_NE(span.context().span_id, start.span_id);
  }
  tracing.Flush();
  const auto requests = receiver.WaitForRequests(1);
  ASSERT_FALSE(requests.empty());
  EXPECT_THAT(requests[0].body, Not(HasSubstr("parentSpanId")));
}

TEST(Span, NewTracesAreSampledByTheRatio) {
  HttpReceiver receiver;
  Tracing tracing(receiver, 0.25);
  int sampled = 0;
  for (int i = 0; i < 4000; ++i) sampled += ParseTraceparent("").sampled;
  // Ten standard deviations around 1,000.
  EXPECT_GT(sampled, 720);
  EXPECT_LT(sampled, 1280);
}

TEST(Span, BoundsItsAttributes) {
  HttpReceiver receiver;
  Tracing tracing(receiver);
  {
    Span span(std::string(100'000, 'n'), SpanKind::kInternal, ParseTraceparent(kSampled));
    for (int i = 0; i < 10'000; ++i) span.Set("key", std::string(10'000, 'v'));
  }
  tracing.Flush();
  const auto requests = receiver.WaitForRequests(1);
  ASSERT_FALSE(requests.empty());
  EXPECT_LT(requests[0].body.size(), 64u * 1024);
}

}  // namespace
}  // namespace bv::telemetry
