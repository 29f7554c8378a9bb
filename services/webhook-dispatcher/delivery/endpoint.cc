#include "services/webhook-dispatcher/delivery/endpoint.h"

#include <algorithm>
#include <utility>

namespace bv::webhook {
namespace {

using State = resilience::CircuitBreaker::State;

}  // namespace

Endpoint::Endpoint(const EndpointSettings& settings)
    : parallel_max_(settings.parallel_max),
      breaker_(std::make_unique<resilience::CircuitBreaker>(
          resilience::CircuitBreakerSettings{.window = absl::ToChronoNanoseconds(settings.breaker_window),
                                             .calls_min = settings.breaker_calls_min,
                                             .failure_ratio = settings.breaker_failure_ratio,
                                             .open_for = absl::ToChronoNanoseconds(settings.breaker_open_for),
                                             .probes = 1})) {}

int Endpoint::Room(DeliveryOrder order, Clock::time_point now) const {
  const State state = breaker_->state();
  if (state == State::kOpen && breaker_->OpenFor(now).count() > 0) return 0;
  const int places = state == State::kClosed && order == DeliveryOrder::kAny ? parallel_max_ : 1;
  return std::max(places - in_flight_, 0);
}

std::optional<Endpoint::Permit> Endpoint::Begin(Clock::time_point now) {
  std::optional<Permit> permit = breaker_->Acquire(now);
  if (permit) ++in_flight_;
  return permit;
}

void Endpoint::Note(std::optional<absl::Time> since) {
  is_failing = since.has_value();
  failing_since = since;
}

void Endpoint::See(std::int64_t version) {
  if (std::exchange(version_, version) == version) return;
  is_failing.reset();
  failing_since.reset();
}

}  // namespace bv::webhook
