// Cards, by the SOAP gateway, and by the REST gateway when that is away. However often a call is repeated, at
// whatever moment a process ends or a connection is lost, an order is charged once, at one of the two.
//
// How: a request is written down before it is sent, with the time when it is over at the latest. Until an
// answer is stored the payment is in doubt at that gateway; a look-up comes first then, and no other gateway
// hears of the order before a look-up that began after that time has found nothing. One call at a time drives
// a payment, by a lease in its row.
#pragma once

#include "libs/config/config.h"
#include "libs/postgres/postgres.h"
#include "libs/resilience/backoff.h"
#include "services/payment-adapter/domain/course.h"
#include "services/payment-adapter/gateways/guarded_gateway.h"
#include "services/payment-adapter/providers/provider.h"
#include "services/payment-adapter/store/payment_book.h"

namespace bv::payment {

struct CardSettings {
  // Requests for money to one gateway in one call.
  int attempts_max = 0;
  // For one request; longer is an unknown outcome.
  absl::Duration attempt_timeout;
  // Between two requests of a call.
  resilience::BackoffSettings backoff;
  // For so long after its last sign of life a call keeps others from driving its payment; longer than
  // attempt_timeout.
  absl::Duration lease;

  void Bind(config::Binder& b);  // gateway.…
  // INVALID_ARGUMENT when the values do not go together.
  absl::Status Check() const;
};

class CardProvider final : public PaymentProvider {
 public:
  CardProvider(postgres::Pool& pool, GuardedGateway& soap, GuardedGateway& rest,
               const CardSettings& settings);

  async::Task<absl::StatusOr<Payment>> Process(Payment asked, const RequestContext& context) override;
  // FAILED_PRECONDITION, reason PAYMENT_STATE: the gateway confirms.
  async::Task<absl::StatusOr<Payment>> Confirm(PaymentId id, Money money, std::string reference,
                                               const RequestContext& context) override;
  async::Task<absl::StatusOr<Payment>> Refund(PaymentId id, std::string reason,
                                              const RequestContext& context) override;

 private:
  struct Admitted {
    GuardedGateway* gateway;
    GuardedGateway::Permit permit;
  };
  struct Tried {
    Payment payment;
    Attempt attempt;
  };

  // Sees the payment through as far as this call can: by driving it, or by waiting for the call that does.
  async::Task<absl::StatusOr<Payment>> Complete(Claim claim, Lease lease, const RequestContext& context);
  async::Task<absl::StatusOr<Payment>> Drive(Payment payment, Lease lease, const RequestContext& context);
  // One request, written down before and after.
  async::Task<absl::StatusOr<Tried>> Try(const Payment& payment, Operation operation, Admitted& admitted,
                                         const Lease& lease, const RequestContext& context);
  async::Task<absl::StatusOr<Payment>> Store(const BegunAttempt& begun, const Result& result,
                                             const Lease& lease, const RequestContext& context);
  async::Task<void> Release(PaymentId id, Lease lease, const RequestContext& context);

  std::optional<Admitted> Admit(const Step& step);
  GuardedGateway& Find(GatewayName name) { return name == GatewayName::kRest ? rest_ : soap_; }
  Lease NewLease() const;
  absl::Status StillUnderWay(const Payment& payment);

  postgres::Pool& pool_;
  GuardedGateway& soap_;
  GuardedGateway& rest_;
  const CardSettings settings_;
  prometheus::Counter& unknown_;
  prometheus::Counter& fallbacks_;
};

}  // namespace bv::payment
