#include "services/payment-adapter/domain/payment.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/payment-adapter/domain/words.h"

namespace bv::payment {
namespace {

// The later of the two; an absent one does not count.
absl::Time Later(const std::optional<absl::Time>& a, absl::Time b) {
  return a ? std::max(*a, b) : b;
}

Payment Succeeded(Payment payment, const Attempt& attempt, const Result& result) {
  payment.status = Status::kSucceeded;
  payment.gateway = attempt.gateway;
  payment.reference = result.reference;
  payment.failure_reason.clear();
  payment.in_doubt_until.reset();
  return payment;
}

Payment Failed(Payment payment, const std::string& reason) {
  payment.status = Status::kFailed;
  payment.failure_reason = reason;
  payment.in_doubt_until.reset();
  return payment;
}

absl::Status WrongState(const Payment& payment, std::string_view wanted) {
  return Error(absl::StatusCode::kFailedPrecondition, "PAYMENT_STATE",
               Concat("the payment is ", Word(payment.status), "; ", wanted));
}

}  // namespace

bool IsUnderWay(Status status) {
  return status == Status::kProcessing || status == Status::kRefunding;
}

bool HasMoney(Status status) {
  return status != Status::kPending && status != Status::kFailed;
}

Payment Begun(Payment payment, Operation operation, GatewayName gateway, absl::Time over_at) {
  if (operation == Operation::kLookUp) return payment;
  payment.gateway = gateway;
  payment.in_doubt_until = Later(payment.in_doubt_until, over_at);
  return payment;
}

Payment AfterCharge(const Payment& before, const Attempt& attempt, absl::Time over_at, const Result& result) {
  switch (result.outcome) {
    case Outcome::kSucceeded:
      return Succeeded(before, attempt, result);
    case Outcome::kDeclined: {
      Payment payment = before;
      payment.gateway = attempt.gateway;
      payment.failure_reason = result.detail;
      // An earlier request may still be carried out, and be approved.
      return before.in_doubt() ? payment : Failed(std::move(payment), result.detail);
    }
    case Outcome::kRefused:
      return before;
    case Outcome::kFault: {
      Payment payment = before;
      payment.gateway = attempt.gateway;
      payment.in_doubt_until = Later(before.in_doubt_until, attempt.started_at);
      return payment;
    }
    default:
      return Begun(before, Operation::kCharge, attempt.gateway, over_at);
  }
}

Payment AfterLookUp(Payment payment, const Attempt& attempt, const Result& result) {
  if (payment.status == Status::kRefunding) {
    if (result.outcome == Outcome::kSucceeded && result.refunded) {
      payment.status = Status::kRefunded;
      payment.in_doubt_until.reset();
    }
    return payment;
  }
  if (result.outcome == Outcome::kSucceeded) {
    // Given back by somebody else: the money is not there, and this gateway never charges the order again.
    if (result.refunded) return Failed(std::move(payment), "REFUNDED_AT_GATEWAY");
    return Succeeded(std::move(payment), attempt, result);
  }
  const bool is_final = payment.in_doubt() && attempt.started_at >= *payment.in_doubt_until;
  if (result.outcome != Outcome::kNotFound || !is_final) return payment;
  if (!payment.failure_reason.empty()) {
    const std::string reason = payment.failure_reason;
    return Failed(std::move(payment), reason);
  }
  payment.in_doubt_until.reset();
  payment.gateway = GatewayName::kNone;
  return payment;
}

Payment AfterRefund(const Payment& before, const Attempt& attempt, absl::Time over_at, const Result& result) {
  if (result.outcome == Outcome::kSucceeded) {
    Payment payment = before;
    payment.status = Status::kRefunded;
    payment.in_doubt_until.reset();
    return payment;
  }
  if (result.outcome == Outcome::kRefused || result.outcome == Outcome::kDeclined) return before;
  return Begun(before, Operation::kRefund, attempt.gateway, over_at);
}

Payment After(const Payment& before, const Attempt& attempt, absl::Time over_at, const Result& result) {
  switch (attempt.operation) {
    case Operation::kCharge:
      return AfterCharge(before, attempt, over_at, result);
    case Operation::kLookUp:
      return AfterLookUp(before, attempt, result);
    case Operation::kRefund:
      break;
  }
  return AfterRefund(before, attempt, over_at, result);
}

absl::Status CheckConfirm(const Payment& payment, const Money& money, const std::string& reference) {
  if (payment.method == Method::kCard)
    return WrongState(payment, "a card payment is confirmed by its gateway");
  if (payment.status != Status::kPending &&
      (payment.status != Status::kSucceeded || payment.reference != reference)) {
    return WrongState(payment, "only a PENDING one is confirmed");
  }
  if (payment.money != money)
    return Error(absl::StatusCode::kInvalidArgument, "AMOUNT_MISMATCH",
                 "the amount is not that of the payment", "amount");
  return absl::OkStatus();
}

absl::Status CheckRefund(const Payment& payment) {
  if (payment.status == Status::kSucceeded || payment.status == Status::kRefunding ||
      payment.status == Status::kRefunded) {
    return absl::OkStatus();
  }
  return WrongState(payment, "only a SUCCEEDED one is refunded");
}

absl::Status CheckSame(const Payment& stored, const Payment& asked) {
  if (stored.order == asked.order && stored.money == asked.money && stored.method == asked.method)
    return absl::OkStatus();
  return Error(absl::StatusCode::kAlreadyExists, "PAYMENT_MISMATCH",
               "the paymentId belongs to a payment of another order, amount or method", "paymentId");
}

}  // namespace bv::payment
