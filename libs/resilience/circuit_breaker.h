// Stops calling a part that keeps failing, and lets a few calls find out when it is back.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace bv::resilience {

struct CircuitBreakerSettings {
  // Calls of this last stretch of time are counted.
  std::chrono::nanoseconds window = std::chrono::seconds(10);
  // It opens when at least this many calls were counted …
  int calls_min = 20;
  // … and this share of them failed.
  double failure_ratio = 0.5;
  // How long it stays open before calls may probe.
  std::chrono::nanoseconds open_for = std::chrono::seconds(5);
  // While half open: so many calls at the same time, and so many successes in a row to close.
  int probes = 3;
};

// Closed: all calls pass and are counted. Open: none pass. Half open: a few probe; one failure opens it
// again. Thread safe. Time is passed in.
class CircuitBreaker {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class State { kClosed, kOpen, kHalfOpen };

  // The leave to make one call; the call's outcome is reported here. Destroyed without a report (the call was
  // abandoned, its outcome says nothing about the part), it only gives its place back. Must not outlive the
  // breaker.
  class Permit {
   public:
    Permit(Permit&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)), generation_(other.generation_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit();

    // Once; a second report is ignored.
    void Succeeded(Time now);
    void Failed(Time now);

   private:
    friend class CircuitBreaker;
    Permit(CircuitBreaker* breaker, std::uint64_t generation) : breaker_(breaker), generation_(generation) {}

    CircuitBreaker* breaker_;
    std::uint64_t generation_;
  };

  explicit CircuitBreaker(const CircuitBreakerSettings& settings);
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  // Absent: fail at once, without the call.
  [[nodiscard]] std::optional<Permit> Acquire(Time now);

  State state() const;
  // While open: how long until calls may probe; the hint for a caller that was refused. Zero otherwise.
  std::chrono::nanoseconds OpenFor(Time now) const;

 private:
  // The window moves in steps of a tenth.
  static constexpr int kSlots = 10;
  struct Slot {
    std::int64_t step = -1;
    int calls = 0;
    int failures = 0;
  };
  enum class Outcome { kSuccess, kFailure, kNone };

  void Report(std::uint64_t generation, Outcome outcome, Time now);
  // With the lock held.
  void MoveTo(State state, Time now);
  void Count(bool failed, Time now);
  bool ShouldOpen(Time now) const;
  std::int64_t StepOf(Time now) const;

  const CircuitBreakerSettings settings_;
  mutable std::mutex mutex_;
  State state_ = State::kClosed;
  // Grows with every change of state; a report of an earlier generation is late and says nothing about now.
  std::uint64_t generation_ = 0;
  Time opened_at_;
  int probes_running_ = 0;
  int probes_succeeded_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace bv::resilience
