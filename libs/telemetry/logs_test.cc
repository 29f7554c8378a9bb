#include "libs/telemetry/logs.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "libs/base/error.h"
#include "libs/telemetry/redirected_stdout.h"

namespace bv::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kTime = absl::FromUnixMicros(1'795'000'000'000'007);

rapidjson::Document Parse(const std::string& line) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(line.data(), line.size());
  EXPECT_FALSE(document.HasParseError()) << line;
  EXPECT_TRUE(document.IsObject()) << line;
  return document;
}

TEST(FormatLine, HoldsTimeLevelServiceMessageContextAndFields) {
  RequestContext context;
  context.tenant = TenantId::Trusted("demo");
  context.user_id = "user-1";
  context.correlation_id = "c-1";
  context.trace.trace_id = "0af7651916cd43dd8448eb211c80319c";
  context.bearer_token = "secret";
  EXPECT_EQ(
      FormatLine(kTime, Level::kWarn, "order", &context, "order created",
                 {{"orderId", "ord_1"}, {"lines", 2}, {"share", 0.5}, {"took", absl::Microseconds(1500)}}),
      R"({"time":"2026-11-18T11:06:40.000007Z","level":"warn","service":"order","message":"order created",)"
      R"("traceId":"0af7651916cd43dd8448eb211c80319c","tenantId":"demo","userId":"user-1","correlationId":"c-1",)"
      R"("orderId":"ord_1","lines":2,"share":0.5,"took":1.5})");
}

TEST(FormatLine, LeavesOutWhatTheContextDoesNotKnow) {
  const RequestContext context;
  EXPECT_EQ(FormatLine(kTime, Level::kInfo, "order", &context, "m", {}),
            R"({"time":"2026-11-18T11:06:40.000007Z","level":"info","service":"order","message":"m"})");
}

TEST(FormatLine, IsOneLineOfValidJsonWhateverTheInput) {
  const std::string hostile[] = {"\"},{\"level\":\"error\"",
                                 "a\nb\r\n{\"fake\":1}",
                                 std::string("\0\x01\x1f\x7f", 4),
                                 "\xff\xfe\xc0\xaf",
                                 "\\",
                                 "\xe2\x80\xa8",
                                 std::string(100'000, '"'),
                                 "%s{}%v"};
  for (const std::string& text : hostile) {
    RequestContext context;
    context.user_id = text;
    context.correlation_id = text;
    const std::string line = FormatLine(kTime, Level::kInfo, "s", &context, text,
                                        {{text, text}, {"status", absl::InternalError(text)}});
    EXPECT_EQ(line.find_first_of("\n\r"), std::string::npos);
    EXPECT_LT(line.size(), 150'000u);
    const auto document = Parse(line);
    EXPECT_STREQ(document["level"].GetString(), "info");
    EXPECT_FALSE(document.HasMember("fake"));
  }
}

TEST(FormatLine, WritesNumbersExactly) {
  const auto document = Parse(FormatLine(kTime, Level::kInfo, "s", nullptr, "m",
                                         {{"min", std::numeric_limits<std::int64_t>::min()},
                                          {"max", std::numeric_limits<std::uint64_t>::max()},
                                          {"third", 1.0 / 3},
                                          {"nan", std::numeric_limits<double>::quiet_NaN()},
                                          {"ever", absl::InfiniteDuration()}}));
  EXPECT_EQ(document["min"].GetInt64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(document["max"].GetUint64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(document["third"].GetDouble(), 1.0 / 3);
  EXPECT_TRUE(document["nan"].IsNull());
  EXPECT_TRUE(document["ever"].IsNull());
}

TEST(FormatLine, ShowsTheReasonOfAStatus) {
  const auto document = Parse(
      FormatLine(kTime, Level::kInfo, "s", nullptr, "m",
                 {{"error", Unavailable("DATABASE_DOWN", "no connection")}, {"fine", absl::OkStatus()}}));
  EXPECT_STREQ(document["error"].GetString(), "UNAVAILABLE (DATABASE_DOWN): no connection");
  EXPECT_STREQ(document["fine"].GetString(), "OK");
}

TEST(ParseLevel, KnowsFive) {
  EXPECT_EQ(ParseLevel("trace"), Level::kDebug);
  EXPECT_EQ(ParseLevel("debug"), Level::kDebug);
  EXPECT_EQ(ParseLevel("info"), Level::kInfo);
  EXPECT_EQ(ParseLevel("warn"), Level::kWarn);
  EXPECT_EQ(ParseLevel("error"), Level::kError);
  EXPECT_EQ(ParseLevel("INFO"), std::nullopt);
  EXPECT_EQ(ParseLevel(""), std::nullopt);
}

TEST(Log, WritesWhatTheLevelAllowsAndAllOfItBeforeItStops) {
  RedirectedStdout output;
  StartLogs("order", Level::kInfo);
  const bool debug = LogEnabled(Level::kDebug);
  Log(Level::kDebug, "hidden");
  RequestContext context;
  context.tenant = TenantId::Trusted("demo");
  for (int i = 0; i < 100; ++i) Log(Level::kInfo, context, "shown {} %v", {{"i", i}});
  StopLogs();
  output.Restore();
  const std::string text = output.ReadUntil("never");
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  EXPECT_FALSE(debug);
  ASSERT_EQ(lines.size(), 100u);
  for (int i = 0; i < 100; ++i) {
    const auto line = Parse(lines[static_cast<std::size_t>(i)]);
    EXPECT_STREQ(line["message"].GetString(), "shown {} %v");
    EXPECT_STREQ(line["service"].GetString(), "order");
    EXPECT_STREQ(line["tenantId"].GetString(), "demo");
    EXPECT_EQ(line["i"].GetInt(), i);
  }
}

TEST(Log, WritesAtOnceWithoutStartLogs) {
  RedirectedStdout output;
  Log(Level::kError, "early");
  output.Restore();
  EXPECT_THAT(output.ReadUntil("never"), HasSubstr(R"("message":"early"})"));
}

// No expectation may fail while standard output is redirected: its message would go into the pipe.
TEST(Log, NeverWaitsForAReaderAndCountsWhatIsLost) {
  constexpr int kLines = 20'000;
  RedirectedStdout output;
  StartLogs("order", Level::kInfo);
  // More than the pipe (64 KiB) and the queue hold together; nobody reads, so the loop would hang if Log
  // waited.
  for (int i = 1; i < kLines; ++i) Log(Level::kInfo, "line");
  Log(Level::kInfo, "newest");
  const std::uint64_t dropped = DroppedLogLines();
  std::string text = output.ReadUntil("newest");
  StopLogs();
  output.Restore();
  text += output.ReadUntil("never");
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')), kLines - dropped);
  EXPECT_THAT(text.substr(text.size() - 200), HasSubstr("newest"))
      << "the oldest lines have to go, not the newest";
}

TEST(LineLimiter, AdmitsOneLineASecondForEachMessageAndCountsTheOthers) {
  LineLimiter limiter;
  EXPECT_EQ(limiter.Admit("a", kTime), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.Admit("a", kTime + absl::Milliseconds(999)), std::nullopt);
  EXPECT_EQ(limiter.Admit("b", kTime), 0u);
  EXPECT_EQ(limiter.Admit("a", kTime + absl::Seconds(1)), 5u);
  EXPECT_EQ(limiter.Admit("a", kTime + absl::Seconds(3)), 0u);
}

TEST(LogLimited, WritesTheFirstOfManyLines) {
  RedirectedStdout output;
  StartLogs("order", Level::kInfo);
  for (int i = 0; i < 50; ++i) LogLimited(Level::kWarn, "collector away", {{"i", i}});
  LogLimited(Level::kDebug, "hidden");
  StopLogs();
  output.Restore();
  const std::string text = output.ReadUntil("never");
  EXPECT_THAT(text, HasSubstr(R"("message":"collector away","i":0})"));
  EXPECT_THAT(text, Not(HasSubstr(R"("i":1})")));
  EXPECT_THAT(text, Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace bv::telemetry
