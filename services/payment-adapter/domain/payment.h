// What a payment is, and what it becomes by what a gateway answers. Pure.
//
// The one rule that all others serve: a payment is never where it might be charged twice. Something of it is
// in doubt at one gateway at most, and as long as it is, no other gateway hears of it. A gateway charges an
// order once, however often it is asked, so asking the same one again is harmless.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/id.h"
#include "libs/base/money.h"

namespace bv::payment {

inline constexpr int kPaymentsOfOrderMax = 100;

enum class Status { kProcessing, kPending, kSucceeded, kFailed, kRefunding, kRefunded };
enum class Method { kCard, kBankTransfer, kCashOnDelivery };
enum class GatewayName { kNone, kSoap, kRest };
enum class Operation { kCharge, kLookUp, kRefund };
enum class Outcome {
  kSucceeded,
  // The customer's bank said no; nothing was charged by this request.
  kDeclined,
  // Of a look-up: the gateway knows of no charge.
  kNotFound,
  // The gateway answered that it failed: the request is over, and a look-up tells what it did.
  kFault,
  // There was no connection: nothing was sent.
  kRefused,
  // Sent, and not answered, or by something that cannot be read: it may have been carried out, or may still
  // be.
  kUnknown,
};

struct Payment {
  PaymentId id;
  OrderId order;
  Money money;
  Method method = Method::kCard;
  Status status = Status::kProcessing;
  std::string failure_reason;
  std::string refund_reason;
  GatewayName gateway = GatewayName::kNone;
  // By the database's clock; see the table.
  std::optional<absl::Time> in_doubt_until;
  std::string reference;
  int attempts = 0;
  std::int64_t version = 0;
  absl::Time created_at;
  absl::Time updated_at;

  bool in_doubt() const { return in_doubt_until.has_value(); }
};

// A request to a gateway, and what came of it.
struct Attempt {
  int number = 0;
  GatewayName gateway = GatewayName::kNone;
  Operation operation = Operation::kCharge;
  Outcome outcome = Outcome::kUnknown;
  // By the database's clock.
  absl::Time started_at;
  absl::Duration duration;
  std::string detail;
};

struct Result {
  Outcome outcome = Outcome::kUnknown;
  // Of a look-up that SUCCEEDED: the charge was given back.
  bool refunded = false;
  // The gateway's transaction.
  std::string reference;
  // Why it was declined, or what went wrong.
  std::string detail;
};

// A gateway has to do something for it.
bool IsUnderWay(Status status);
// It has the order's money, had it, or may have it: at most one payment of an order does.
bool HasMoney(Status status);

// What a payment becomes before a request of this kind is sent to `gateway`: from now on in doubt there,
// until `over_at`, when the request is carried out or never will be. A look-up changes nothing.
Payment Begun(Payment payment, Operation operation, GatewayName gateway, absl::Time over_at);

// What a payment becomes by the answer: `before` is what it was before the request was begun, `attempt` the
// request.
Payment AfterCharge(const Payment& before, const Attempt& attempt, absl::Time over_at, const Result& result);
Payment AfterLookUp(Payment payment, const Attempt& attempt, const Result& result);
Payment AfterRefund(const Payment& before, const Attempt& attempt, absl::Time over_at, const Result& result);
// One of the three.
Payment After(const Payment& before, const Attempt& attempt, absl::Time over_at, const Result& result);

// FAILED_PRECONDITION, reason PAYMENT_STATE, names the state that does not allow it; INVALID_ARGUMENT, reason
// AMOUNT_MISMATCH. OK for what was confirmed by the same reference before.
absl::Status CheckConfirm(const Payment& payment, const Money& money, const std::string& reference);
// FAILED_PRECONDITION, reason PAYMENT_STATE. OK for what is refunded or being refunded.
absl::Status CheckRefund(const Payment& payment);
// ALREADY_EXISTS, reason PAYMENT_MISMATCH, unless it is the same request.
absl::Status CheckSame(const Payment& stored, const Payment& asked);

}  // namespace bv::payment
