#include "services/payment-adapter/gateways/guarded_gateway.h"

#include "services/payment-adapter/domain/words.h"

namespace bv::payment {
namespace {

using Clock = std::chrono::steady_clock;

std::string_view Word(resilience::CircuitBreaker::State state) {
  switch (state) {
    case resilience::CircuitBreaker::State::kClosed:
      return "CLOSED";
    case resilience::CircuitBreaker::State::kOpen:
      return "OPEN";
    case resilience::CircuitBreaker::State::kHalfOpen:
      break;
  }
  return "HALF_OPEN";
}

resilience::CircuitBreakerSettings ToBreaker(const BreakerSettings& settings) {
  return {.window = absl::ToChronoNanoseconds(settings.window),
          .calls_min = settings.calls_min,
          .failure_ratio = settings.failure_ratio,
          .open_for = absl::ToChronoNanoseconds(settings.open_for),
          .probes = settings.probes};
}

telemetry::Labels LabelsOf(const Gateway& gateway) {
  return {{"gateway", std::string(Word(gateway.name()))}};
}

// The gateway did its work; that it said no is part of it.
bool IsWorking(Outcome outcome) {
  return outcome == Outcome::kSucceeded || outcome == Outcome::kDeclined || outcome == Outcome::kNotFound;
}

}  // namespace

void BreakerSettings::Bind(config::Binder& b) {
  b.Duration("breaker.window", window, {absl::Milliseconds(10), absl::Hours(1)});
  b.Integer("breaker.calls_min", calls_min, {1, 1'000'000});
  b.Number("breaker.failure_ratio", failure_ratio, {0.01, 1});
  b.Duration("breaker.open_for", open_for, {absl::Milliseconds(1), absl::Hours(1)});
  b.Integer("breaker.probes", probes, {1, 1'000});
}

GuardedGateway::GuardedGateway(std::unique_ptr<Gateway> gateway, absl::Duration processing_max,
                               const BreakerSettings& breaker)
    : gateway_(std::move(gateway)),
      processing_max_(processing_max),
      breaker_(ToBreaker(breaker)),
      state_(telemetry::Gauge("payment_gateway_breaker_state", "0 closed, 1 half open, 2 open.",
                              LabelsOf(*gateway_))),
      seconds_(telemetry::Histogram("payment_gateway_request_seconds", "From a request to its outcome.",
                                    telemetry::LatencySeconds(), LabelsOf(*gateway_))) {
  state_.Set(0);
}

std::optional<GuardedGateway::Permit> GuardedGateway::Admit() {
  std::optional<Permit> permit = breaker_.Acquire(Clock::now());
  Watch();
  return permit;
}

absl::Duration GuardedGateway::ClosedFor() const {
  return absl::FromChrono(breaker_.OpenFor(Clock::now()));
}

async::Task<Result> GuardedGateway::Send(Permit permit, GatewayRequest request, absl::Time deadline) {
  const auto begin = Clock::now();
  const Operation operation = request.operation;
  Result result = co_await gateway_->Send(std::move(request), deadline);
  const auto end = Clock::now();
  IsWorking(result.outcome) ? permit.Succeeded(end) : permit.Failed(end);
  Watch();
  seconds_.Observe(absl::ToDoubleSeconds(absl::FromChrono(end - begin)));
  telemetry::Labels labels = LabelsOf(*gateway_);
  labels["operation"] = std::string(Word(operation));
  labels["outcome"] = std::string(Word(result.outcome));
  telemetry::Counter("payment_gateway_requests_total", "Requests to gateways by what came of them.", labels)
      .Increment();
  co_return result;
}

void GuardedGateway::Watch() {
  const std::lock_guard lock(mutex_);
  const State now = breaker_.state();
  if (now == seen_) return;
  telemetry::Log(now == State::kOpen ? telemetry::Level::kWarn : telemetry::Level::kInfo, "circuit breaker",
                 {{"gateway", Word(name())}, {"from", Word(seen_)}, {"to", Word(now)}});
  seen_ = now;
  state_.Set(now == State::kClosed ? 0 : now == State::kHalfOpen ? 1 : 2);
}

}  // namespace bv::payment
