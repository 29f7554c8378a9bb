// A token bucket that several replicas fill from: each takes from what it believes there is, and corrects
// that by what all have used.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace bv::gateway {

struct BucketPolicy {
  // Tokens a second, 0 for no limit, and how many there are at most.
  double rate = 0;
  double burst = 0;

  bool is_limit() const { return rate > 0; }
  // So many are used before the others are told; by so many a replica may be wrong. A twentieth of the burst.
  double block() const { return std::max(1.0, std::floor(burst / 20)); }
};

// Time is in seconds on the monotonic clock, and is passed in. Not thread safe.
class Bucket {
 public:
  Bucket(const BucketPolicy& policy, double now) : level_(policy.burst), refilled_(now) {}

  [[nodiscard]] bool TryTake(const BucketPolicy& policy, double now) {
    Refill(policy, now);
    if (level_ < 1) return false;
    level_ -= 1;
    unreported_ += 1;
    return true;
  }

  // What is to be told to the others, when it is time to; it is taken to be told until Learn or Forget.
  std::optional<double> TakeReport(const BucketPolicy& policy) {
    if (is_reporting_ || unreported_ < policy.block()) return std::nullopt;
    is_reporting_ = true;
    return std::exchange(unreported_, 0);
  }
  // What all together have left, after the report. Never more than was believed before.
  void Learn(const BucketPolicy& policy, double shared_level, double now) {
    Refill(policy, now);
    level_ = std::min(level_, shared_level - unreported_);
    is_reporting_ = false;
  }
  // The report was lost. What it had is forgotten: by the time that there is somebody to tell again, it has
  // been filled in.
  void Forget() { is_reporting_ = false; }

  double level() const { return level_; }

 private:
  void Refill(const BucketPolicy& policy, double now) {
    if (now <= refilled_) return;
    level_ = std::min(policy.burst, level_ + (now - refilled_) * policy.rate);
    refilled_ = now;
  }

  double level_;
  double refilled_;
  double unreported_ = 0;
  bool is_reporting_ = false;
};

}  // namespace bv::gateway
