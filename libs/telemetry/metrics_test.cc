#include "libs/telemetry/metrics.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "libs/telemetry/process_metrics.h"
#include "libs/telemetry/telemetry.h"

namespace bv::telemetry {
namespace {

std::optional<prometheus::MetricFamily> Find(const std::vector<prometheus::MetricFamily>& families,
                                             const std::string& name) {
  for (const auto& family : families) {
    if (family.name == name) return family;
  }
  return std::nullopt;
}

TEST(Metrics, SameNameAndLabelsAreTheSameObject) {
  auto& a = Counter("test_same_total", "help", {{"x", "1"}, {"y", "2"}});
  auto& b = Counter("test_same_total", "help", {{"y", "2"}, {"x", "1"}});
  auto& c = Counter("test_same_total", "help", {{"x", "2"}, {"y", "2"}});
  EXPECT_EQ(&a, &b);
  EXPECT_NE(&a, &c);
  a.Increment();
  const auto family = Find(Registry().Collect(), "test_same_total");
  ASSERT_TRUE(family);
  EXPECT_EQ(family->metric.size(), 2u);
}

TEST(Metrics, AreShownWithTheirValues) {
  Gauge("test_depth", "help").Set(7);
  Histogram("test_seconds", "help", {1, 2}).Observe(1.5);
  const auto families = Registry().Collect();
  EXPECT_EQ(Find(families, "test_depth")->metric[0].gauge.value, 7);
  const auto histogram = Find(families, "test_seconds")->metric[0].histogram;
  EXPECT_EQ(histogram.sample_count, 1u);
  ASSERT_EQ(histogram.bucket.size(), 3u);
  EXPECT_EQ(histogram.bucket[0].cumulative_count, 0u);
  EXPECT_EQ(histogram.bucket[1].cumulative_count, 1u);
}

TEST(Metrics, AMistakeInANameIsHarmless) {
  Counter("test_two_types", "help").Increment();
  Gauge("test_two_types", "help").Set(5);
  Gauge("test_two_types", "help").Increment();
  Counter("not a name", "help").Increment();
  Counter("test_label_total", "help", {{"not a label", "x"}}).Increment();
  const auto families = Registry().Collect();
  EXPECT_EQ(Find(families, "test_two_types")->type, prometheus::MetricType::Counter);
  EXPECT_FALSE(Find(families, "not a name"));
}

TEST(Metrics, LabelSetsOfANameAreBounded) {
  auto& refused =
      Counter("bv_metric_series_refused_total", "Look-ups of a metric with one label set too many");
  const double before = refused.Value();
  for (int i = 0; i < 1100; ++i) Counter("test_many_total", "help", {{"id", absl::StrCat(i)}}).Increment();
  EXPECT_EQ(Find(Registry().Collect(), "test_many_total")->metric.size(), 1000u);
  EXPECT_EQ(refused.Value() - before, 100);
}

TEST(Metrics, ThreadsGetTheSameObject) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 1000; ++i)
          Counter("test_threads_total", "help", {{"i", absl::StrCat(i % 10)}}).Increment();
      });
    }
  }
  double sum = 0;
  const auto family = Find(Registry().Collect(), "test_threads_total");
  ASSERT_TRUE(family);
  for (const auto& metric : family->metric) sum += metric.counter.value;
  EXPECT_EQ(sum, 4000);
}

TEST(Metrics, LatencyBoundsAreTheSameInBothUnits) {
  ASSERT_EQ(LatencySeconds().size(), LatencyMillis().size());
  for (std::size_t i = 0; i < LatencySeconds().size(); ++i)
    EXPECT_NEAR(LatencySeconds()[i] * 1000, LatencyMillis()[i], 1e-9);
  EXPECT_EQ(LatencyMillis().front(), 0.1);
  EXPECT_EQ(LatencySeconds().back(), 10);
}

TEST(ProcessMetrics, AreThoseOfThisProcess) {
  const auto families = ProcessMetrics().Collect();
  const auto value = [&](const std::string& name) { return Find(families, name)->metric.at(0).gauge.value; };
  EXPECT_GT(value("process_resident_memory_bytes"), 1 << 20);
  EXPECT_LT(value("process_resident_memory_bytes"), value("process_virtual_memory_bytes"));
  EXPECT_GE(value("process_open_fds"), 3);
  EXPECT_GT(value("process_max_fds"), value("process_open_fds"));
  EXPECT_GE(value("process_threads"), 1);
  EXPECT_NEAR(value("process_start_time_seconds"), absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()),
              300);
  EXPECT_GE(Find(families, "process_cpu_seconds_total")->metric.at(0).counter.value, 0);
  EXPECT_LT(Find(families, "process_cpu_seconds_total")->metric.at(0).counter.value, 300);
}

}  // namespace
}  // namespace bv::telemetry
