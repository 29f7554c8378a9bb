#include "services/payment-adapter/domain/course.h"

namespace bv::payment {

std::optional<Step> Course::Next(const Payment& payment) const {
  if (payment.in_doubt()) return NextOfDoubt(payment);
  if (payment.status == Status::kRefunding) {
    if (SentTo(payment.gateway) >= attempts_max_) return std::nullopt;
    return Step{.operation = Operation::kRefund, .gateways = {payment.gateway}};
  }
  Step step{.operation = Operation::kCharge};
  for (const GatewayName gateway : {GatewayName::kSoap, GatewayName::kRest}) {
    if (SentTo(gateway) < attempts_max_) step.gateways.push_back(gateway);
  }
  if (step.gateways.empty()) return std::nullopt;
  return step;
}

// Only with the gateway in question.
std::optional<Step> Course::NextOfDoubt(const Payment& payment) const {
  const Operation operation = payment.status == Status::kRefunding ? Operation::kRefund : Operation::kCharge;
  // It does not know of the request, but may do so later. It carries one out once, however often it is asked.
  const bool may_ask_again = looked_up_ && payment.failure_reason.empty();
  if (may_ask_again && SentTo(payment.gateway) < attempts_max_)
    return Step{.operation = operation, .gateways = {payment.gateway}};
  if (lookups_failed_ >= attempts_max_) return std::nullopt;
  Step step{.operation = Operation::kLookUp, .gateways = {payment.gateway}};
  if (looked_up_) {
    // A refund is final by its own answer only, so there is nothing to wait for.
    if (operation == Operation::kRefund) return std::nullopt;
    step.not_before = *payment.in_doubt_until;
  }
  return step;
}

void Course::Note(const Attempt& attempt) {
  if (attempt.operation != Operation::kLookUp) {
    ++sent_[static_cast<std::size_t>(attempt.gateway)];
    looked_up_ = false;
    return;
  }
  const bool answered = attempt.outcome == Outcome::kSucceeded || attempt.outcome == Outcome::kNotFound;
  looked_up_ = looked_up_ || answered;
  lookups_failed_ = answered ? 0 : lookups_failed_ + 1;
}

}  // namespace bv::payment
