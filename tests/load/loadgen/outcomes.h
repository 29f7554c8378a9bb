// What became of calls, and how long they took.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bv::load {

using Clock = std::chrono::steady_clock;
using Moment = Clock::time_point;

// Not thread safe: each thread has its own, which are added up at the end.
class Outcomes {
 public:
  // `name`: "OK", or the reason of the error. Longer than an hour counts as an hour.
  void Add(const std::string& name, Clock::duration latency);
  void Add(const Outcomes& other);

  std::int64_t count() const;
  // {"OK": {"count": 3, "p50_ms": 1.234, "p95_ms": …, "p99_ms": …, "max_ms": …}, …}
  std::string ToJson() const;

 private:
  // Microseconds, in the order of their coming: 4 bytes a call, so that every percentile is exact.
  std::map<std::string, std::vector<std::uint32_t>> latencies_;
};

// The smallest value that at least `share` of the values do not exceed; `sorted` has at least one.
std::uint32_t Percentile(const std::vector<std::uint32_t>& sorted, double share);

}  // namespace bv::load
