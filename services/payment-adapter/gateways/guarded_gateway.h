// A gateway behind its circuit breaker, counted and measured.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "libs/config/config.h"
#include "libs/resilience/circuit_breaker.h"
#include "libs/telemetry/telemetry.h"
#include "services/payment-adapter/gateways/gateway.h"

namespace bv::payment {

struct BreakerSettings {
  absl::Duration window;
  int calls_min = 0;
  double failure_ratio = 0;
  absl::Duration open_for;
  int probes = 0;

  void Bind(config::Binder& b);  // breaker.…
};

// Any thread.
class GuardedGateway {
 public:
  using Permit = resilience::CircuitBreaker::Permit;

  // `processing_max`: what the gateway states; a request is carried out so long after its arrival at the
  // latest.
  GuardedGateway(std::unique_ptr<Gateway> gateway, absl::Duration processing_max,
                 const BreakerSettings& breaker);

  GatewayName name() const { return gateway_->name(); }
  absl::Duration processing_max() const { return processing_max_; }

  // Absent while the breaker lets nothing through.
  std::optional<Permit> Admit();
  // How long until it may let something through; zero when it may now.
  absl::Duration ClosedFor() const;
  async::Task<Result> Send(Permit permit, GatewayRequest request, absl::Time deadline);

 private:
  using State = resilience::CircuitBreaker::State;
  // Shows and logs a change of the breaker's state.
  void Watch();

  const std::unique_ptr<Gateway> gateway_;
  const absl::Duration processing_max_;
  resilience::CircuitBreaker breaker_;
  std::mutex mutex_;
  // Guarded by `mutex_`.
  State seen_ = State::kClosed;
  prometheus::Gauge& state_;
  prometheus::Histogram& seconds_;
};

}  // namespace bv::payment
