#include "libs/resilience/circuit_breaker.h"

#include <algorithm>

namespace bv::resilience {

using std::chrono::nanoseconds;

CircuitBreaker::Permit::~Permit() {
  if (breaker_) breaker_->Report(generation_, Outcome::kNone, Time());
}

void CircuitBreaker::Permit::Succeeded(Time now) {
  if (breaker_) std::exchange(breaker_, nullptr)->Report(generation_, Outcome::kSuccess, now);
}

void CircuitBreaker::Permit::Failed(Time now) {
  if (breaker_) std::exchange(breaker_, nullptr)->Report(generation_, Outcome::kFailure, now);
}

CircuitBreaker::CircuitBreaker(const CircuitBreakerSettings& settings)
    : settings_(settings), slots_(kSlots) {}

std::optional<CircuitBreaker::Permit> CircuitBreaker::Acquire(Time now) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kOpen) {
    if (now - opened_at_ < settings_.open_for) return std::nullopt;
    MoveTo(State::kHalfOpen, now);
  }
  if (state_ == State::kHalfOpen) {
    if (probes_running_ >= settings_.probes) return std::nullopt;
    ++probes_running_;
  }
  return Permit(this, generation_);
}

void CircuitBreaker::Report(std::uint64_t generation, Outcome outcome, Time now) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  if (state_ == State::kHalfOpen) {
    --probes_running_;
    if (outcome == Outcome::kFailure) return MoveTo(State::kOpen, now);
    if (outcome == Outcome::kSuccess && ++probes_succeeded_ >= settings_.probes) MoveTo(State::kClosed, now);
    return;
  }
  if (outcome == Outcome::kNone) return;
  Count(outcome == Outcome::kFailure, now);
  if (outcome == Outcome::kFailure && ShouldOpen(now)) MoveTo(State::kOpen, now);
}

void CircuitBreaker::MoveTo(State state, Time now) {
  state_ = state;
  ++generation_;
  probes_running_ = 0;
  probes_succeeded_ = 0;
  if (state == State::kOpen) opened_at_ = now;
  if (state == State::kClosed) std::fill(slots_.begin(), slots_.end(), Slot());
}

void CircuitBreaker::Count(bool failed, Time now) {
  const std::int64_t step = StepOf(now);
  Slot& slot = slots_[static_cast<std::size_t>(step % kSlots)];
  if (slot.step != step) slot = Slot{.step = step};
  ++slot.calls;
  if (failed) ++slot.failures;
}

bool CircuitBreaker::ShouldOpen(Time now) const {
  const std::int64_t step = StepOf(now);
  int calls = 0;
  int failures = 0;
  for (const Slot& slot : slots_) {
    if (slot.step < 0 || slot.step <= step - kSlots) continue;
    calls += slot.calls;
    failures += slot.failures;
  }
  return calls >= settings_.calls_min && failures >= settings_.failure_ratio * calls;
}

std::int64_t CircuitBreaker::StepOf(Time now) const {
  return now.time_since_epoch() / std::max(settings_.window / kSlots, nanoseconds(1));
}

CircuitBreaker::State CircuitBreaker::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

nanoseconds CircuitBreaker::OpenFor(Time now) const {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kOpen) return nanoseconds::zero();
  return std::max<nanoseconds>(settings_.open_for - (now - opened_at_), nanoseconds::zero());
}

}  // namespace bv::resilience
