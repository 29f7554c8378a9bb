#include "tests/load/loadgen/outcomes.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>

#include "libs/base/strings.h"

namespace bv::load {
namespace {

std::string SummaryOf(std::vector<std::uint32_t> latencies) {
  std::ranges::sort(latencies);
  const auto milliseconds = [&](double share) { return Percentile(latencies, share) / 1000.0; };
  return absl::StrFormat(R"({"count": %d, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f})",
                         latencies.size(), milliseconds(0.50), milliseconds(0.95), milliseconds(0.99),
                         milliseconds(1));
}

}  // namespace

void Outcomes::Add(const std::string& name, Clock::duration latency) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
  constexpr std::int64_t kHour = std::chrono::microseconds(std::chrono::hours(1)).count();
  latencies_[name].push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(micros, 0, kHour)));
}

void Outcomes::Add(const Outcomes& other) {
  for (const auto& [name, latencies] : other.latencies_) {
    std::vector<std::uint32_t>& all = latencies_[name];
    all.insert(all.end(), latencies.begin(), latencies.end());
  }
}

std::int64_t Outcomes::count() const {
  std::int64_t sum = 0;
  for (const auto& [name, latencies] : latencies_) sum += static_cast<std::int64_t>(latencies.size());
  return sum;
}

std::string Outcomes::ToJson() const {
  std::string json = "{";
  for (const auto& [name, latencies] : latencies_) {
    // Names are reasons and codes, upper case and underscores: nothing to escape.
    json += Concat(json.size() > 1 ? ", \"" : "\"", name, "\": ", SummaryOf(latencies));
  }
  return json + "}";
}

std::uint32_t Percentile(const std::vector<std::uint32_t>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(static_cast<double>(sorted.size()) * share));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace bv::load
