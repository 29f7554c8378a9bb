// The receiver of one subscription, as the driver sees it: how much it may get at once, and whether it
// answers. Used by the driver's thread; time is passed in.
#pragma once

#include <absl/time/time.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "libs/resilience/circuit_breaker.h"
#include "services/webhook-dispatcher/domain/subscription.h"

namespace bv::webhook {

struct EndpointSettings {
  // Attempts at the same time.
  int parallel_max = 32;
  // The breaker opens when in this stretch of time so many attempts were made and this share of them failed.
  absl::Duration breaker_window = absl::Minutes(5);
  int breaker_calls_min = 10;
  double breaker_failure_ratio = 0.7;
  // How long it then gets nothing, before one attempt looks whether it is back.
  absl::Duration breaker_open_for = absl::Seconds(30);
};

class Endpoint {
 public:
  using Clock = std::chrono::steady_clock;
  using Permit = resilience::CircuitBreaker::Permit;

  explicit Endpoint(const EndpointSettings& settings);

  // How many attempts may begin now: 0 while the breaker is open, and one at a time when it looks, and always
  // of a FIFO subscription.
  int Room(DeliveryOrder order, Clock::time_point now) const;
  // Begins an attempt, whose end is told by End and by the permit; absent when the breaker does not let it.
  std::optional<Permit> Begin(Clock::time_point now);
  void End() { --in_flight_; }
  int in_flight() const { return in_flight_; }
  bool is_open() const { return breaker_->state() == resilience::CircuitBreaker::State::kOpen; }

  // Whether there may be deferred deliveries that are due.
  bool has_deferred = true;
  // Whether the last attempt failed; absent: not known.
  std::optional<bool> is_failing;
  // Of one that fails.
  std::optional<absl::Time> failing_since;
  // Takes over what was stored: since when it fails; absent: it does not.
  void Note(std::optional<absl::Time> since);
  // When the subscription was changed, as resumed, nothing is known any more.
  void See(std::int64_t version);

 private:
  const int parallel_max_;
  // Permits point to it.
  std::unique_ptr<resilience::CircuitBreaker> breaker_;
  int in_flight_ = 0;
  std::int64_t version_ = 0;
};

}  // namespace bv::webhook
