#include "libs/telemetry/telemetry.h"

#include <absl/strings/str_cat.h>
#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/telemetry/http_receiver.h"
#include "libs/telemetry/redirected_stdout.h"

namespace bv::telemetry {
namespace {

using ::testing::HasSubstr;

Settings MakeSettings() {
  return {.log_level = "info", .metrics_address = "127.0.0.1:0"};
}

std::string Get(const std::string& url) {
  std::string page;
  CURL* curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10'000L);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &page);
  curl_easy_setopt(
      curl, CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* target) {
        static_cast<std::string*>(target)->append(data, size * count);
        return size * count;
      });
  EXPECT_EQ(curl_easy_perform(curl), CURLE_OK);
  curl_easy_cleanup(curl);
  return page;
}

TEST(Telemetry, ServesTheMetricsPage) {
  auto telemetry = Telemetry::Start("order", MakeSettings());
  ASSERT_TRUE(telemetry.ok()) << telemetry.status();
  const std::string url = absl::StrCat("http://127.0.0.1:", (*telemetry)->metrics_port(), "/metrics");
  Counter("test_page_total", "help").Increment(3);
  EXPECT_THAT(Get(url), HasSubstr("\nbv_ready 0\n"));
  SetReady(true);
  const std::string page = Get(url);
  for (const char* line : {"\nbv_ready 1\n", "\ntest_page_total 3\n", "\nprocess_resident_memory_bytes ",
                           "\nprocess_open_fds ", "\nprocess_cpu_seconds_total ",
                           "\nprocess_start_time_seconds ", "\nbv_log_lines_dropped_total 0\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

TEST(Telemetry, NamesAnAddressThatIsTaken) {
  const auto first = Telemetry::Start("order", MakeSettings());
  ASSERT_TRUE(first.ok());
  Settings settings = MakeSettings();
  settings.metrics_address = absl::StrCat("127.0.0.1:", (*first)->metrics_port());
  const auto second = Telemetry::Start("order", settings);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("metrics.address"));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(settings.metrics_address));
}

TEST(Telemetry, RefusesAnAddressThatIsNone) {
  for (const char* address : {"", "here", "127.0.0.1:99999", "256.1.1.1:80"}) {
    Settings settings = MakeSettings();
    settings.metrics_address = address;
    EXPECT_FALSE(Telemetry::Start("order", settings).ok()) << address;
  }
}

TEST(Telemetry, RefusesSettingsByTheirName) {
  Settings settings = MakeSettings();
  settings.log_level = "loud";
  EXPECT_EQ(GetErrorDetail(Telemetry::Start("order", settings).status()).field, "log.level");
  settings = MakeSettings();
  settings.otlp_endpoint = "collector:4318";
  EXPECT_EQ(GetErrorDetail(Telemetry::Start("order", settings).status()).field, "otlp.endpoint");
}

TEST(Telemetry, SendsSpansAndLinesBeforeItEnds) {
  HttpReceiver receiver;
  RedirectedStdout output;
  Settings settings = MakeSettings();
  settings.otlp_endpoint = receiver.url();
  settings.otlp_sample_ratio = 1;
  {
    const auto telemetry = Telemetry::Start("order", settings);
    const Span span("work", SpanKind::kInternal, ParseTraceparent(""));
    Log(Level::kInfo, "the last line");
  }
  output.Restore();
  EXPECT_THAT(output.ReadUntil("never"), HasSubstr(R"("service":"order","message":"the last line"})"));
  const auto requests = receiver.WaitForRequests(1);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_THAT(requests[0].body, HasSubstr(R"("name":"work")"));
}

TEST(Telemetry, BindsItsSettingsWithinTheirBounds) {
  const auto load = [](const std::string& ratio, Settings& settings) {
    return config::Load(
        absl::StrCat(
            "log: {level: warn}\nmetrics: {address: \"127.0.0.1:9\"}\notlp: {endpoint: \"\", sample_ratio: ",
            ratio, "}\n"),
        [](const std::string&) { return std::nullopt; }, [&](config::Binder& b) { settings.Bind(b); });
  };
  Settings settings;
  ASSERT_TRUE(load("0.25", settings).ok());
  EXPECT_EQ(settings.log_level, "warn");
  EXPECT_EQ(settings.metrics_address, "127.0.0.1:9");
  EXPECT_EQ(settings.otlp_endpoint, "");
  EXPECT_EQ(settings.otlp_sample_ratio, 0.25);
  EXPECT_THAT(load("1.5", settings).ToString(), HasSubstr("otlp.sample_ratio"));
}

}  // namespace
}  // namespace bv::telemetry
