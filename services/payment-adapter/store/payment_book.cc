#include "services/payment-adapter/store/payment_book.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "services/payment-adapter/events/payment_events.h"

namespace bv::payment {
namespace {

constexpr std::string_view kLeaseLost = "LEASE_LOST";

// With the order locked, so that what is read stays true. The order of a payment never changes.
absl::StatusOr<Payment> ReadLocked(postgres::Session& session, const TenantId& tenant, const PaymentId& id) {
  const std::optional<Payment> found = ReadPayment(session, tenant, id);
  if (!found) return PaymentNotFound(id.str());
  LockOrder(session, tenant, found->order);
  return *ReadPayment(session, tenant, id);
}

// OK when no payment of the order but `id` has its money or may have it.
absl::Status CheckUnpaid(const std::vector<Payment>& of_order, const PaymentId& id) {
  for (const Payment& other : of_order) {
    if (other.id == id || !HasMoney(other.status)) continue;
    if (other.status == Status::kProcessing) {
      return Unavailable("PAYMENT_OUTCOME_UNKNOWN",
                         Concat("another payment of the order, ", other.id.str(), ", is still under way"));
    }
    return Error(absl::StatusCode::kFailedPrecondition, "ALREADY_PAID",
                 Concat("another payment of the order, ", other.id.str(), ", has succeeded"));
  }
  return absl::OkStatus();
}

// Stores an outcome and announces it.
absl::Status WriteOutcomeOf(postgres::Session& session, const RequestContext& context, Payment& payment) {
  payment.version = NextVersion(session, context.tenant, payment.order);
  payment.updated_at = session.transaction_time();
  WritePayment(session, context.tenant, payment);
  ASSIGN_OR_RETURN(events::OutboxRow row, OutcomeRow(payment, context));
  events::InsertOutbox(session, {std::move(row)});
  return absl::OkStatus();
}

}  // namespace

absl::Status PaymentNotFound(std::string_view id) {
  return NotFound("PAYMENT_NOT_FOUND", Concat("there is no payment ", id));
}

bool IsLeaseLost(const absl::Status& status) {
  return absl::IsAborted(status) && ErrorReason(status) == kLeaseLost;
}

absl::StatusOr<Claim> OpenPayment(postgres::Session& session, const TenantId& tenant, const Payment& asked,
                                  const Lease& lease) {
  LockOrder(session, tenant, asked.order);
  std::optional<Payment> stored = ReadPayment(session, tenant, asked.id);
  if (!stored) {
    const std::vector<Payment> of_order = ReadPaymentsOfOrder(session, tenant, asked.order);
    RETURN_IF_ERROR(CheckUnpaid(of_order, asked.id));
    if (of_order.size() >= kPaymentsOfOrderMax) {
      return Error(absl::StatusCode::kFailedPrecondition, "TOO_MANY_PAYMENTS",
                   Concat("the order has ", kPaymentsOfOrderMax, " payments already"));
    }
    InsertPayment(session, tenant, asked);
    // Another order's payment may have got the id at the same moment.
    stored = ReadPayment(session, tenant, asked.id);
    if (!stored) return absl::InternalError("a stored payment is not there");
  }
  RETURN_IF_ERROR(CheckSame(*stored, asked));
  Claim claim{.payment = *std::move(stored)};
  if (IsUnderWay(claim.payment.status)) claim.is_ours = TakeLease(session, tenant, asked.id, lease);
  return claim;
}

absl::StatusOr<Claim> ClaimPayment(postgres::Session& session, const TenantId& tenant, const PaymentId& id,
                                   const Lease& lease) {
  Claim claim{.is_ours = TakeLease(session, tenant, id, lease)};
  // Read after the lease: as the one before left it.
  std::optional<Payment> stored = ReadPayment(session, tenant, id);
  if (!stored) return PaymentNotFound(id.str());
  claim.payment = *std::move(stored);
  return claim;
}

absl::StatusOr<BegunAttempt> BeginAttempt(postgres::Session& session, const TenantId& tenant,
                                          const PaymentId& id, Operation operation, GatewayName gateway,
                                          absl::Duration over_after, const Lease& lease) {
  if (!KeepLease(session, tenant, id, lease))
    return Error(absl::StatusCode::kAborted, kLeaseLost, "another call drives the payment now");
  BegunAttempt begun;
  begun.before = *ReadPayment(session, tenant, id);
  begun.before.attempts += 1;
  begun.attempt = {.number = begun.before.attempts,
                   .gateway = gateway,
                   .operation = operation,
                   .started_at = session.transaction_time()};
  begun.over_at = session.transaction_time() + over_after;
  InsertAttempt(session, tenant, id, begun.attempt);
  WritePayment(session, tenant, Begun(begun.before, operation, gateway, begun.over_at));
  return begun;
}

absl::StatusOr<Payment> FinishAttempt(postgres::Session& session, const RequestContext& context,
                                      const BegunAttempt& begun, const Result& result, const Lease& lease) {
  const TenantId& tenant = context.tenant;
  LockOrder(session, tenant, begun.before.order);
  WriteOutcome(session, tenant, begun.before.id, begun.attempt.number, result);
  if (!KeepLease(session, tenant, begun.before.id, lease))
    return *ReadPayment(session, tenant, begun.before.id);
  Payment after = After(begun.before, begun.attempt, begun.over_at, result);
  if (IsUnderWay(after.status)) {
    after.updated_at = session.transaction_time();
    WritePayment(session, tenant, after);
    return after;
  }
  RETURN_IF_ERROR(WriteOutcomeOf(session, context, after));
  ReleaseLease(session, tenant, after.id, lease.holder);
  return after;
}

absl::StatusOr<Payment> ConfirmPayment(postgres::Session& session, const RequestContext& context,
                                       const PaymentId& id, const Money& money,
                                       const std::string& reference) {
  ASSIGN_OR_RETURN(Payment payment, ReadLocked(session, context.tenant, id));
  RETURN_IF_ERROR(CheckConfirm(payment, money, reference));
  if (payment.status == Status::kSucceeded) return payment;
  RETURN_IF_ERROR(CheckUnpaid(ReadPaymentsOfOrder(session, context.tenant, payment.order), id));
  payment.status = Status::kSucceeded;
  payment.reference = reference;
  RETURN_IF_ERROR(WriteOutcomeOf(session, context, payment));
  return payment;
}

absl::StatusOr<Claim> OpenRefund(postgres::Session& session, const TenantId& tenant, const PaymentId& id,
                                 const std::string& reason, const Lease& lease) {
  ASSIGN_OR_RETURN(Payment payment, ReadLocked(session, tenant, id));
  RETURN_IF_ERROR(CheckRefund(payment));
  if (payment.status == Status::kSucceeded) {
    payment.status = Status::kRefunding;
    payment.refund_reason = reason;
    payment.updated_at = session.transaction_time();
    WritePayment(session, tenant, payment);
  }
  Claim claim{.payment = std::move(payment)};
  if (IsUnderWay(claim.payment.status)) claim.is_ours = TakeLease(session, tenant, id, lease);
  return claim;
}

absl::StatusOr<Payment> RefundByHand(postgres::Session& session, const RequestContext& context,
                                     const PaymentId& id, const std::string& reason) {
  ASSIGN_OR_RETURN(Payment payment, ReadLocked(session, context.tenant, id));
  RETURN_IF_ERROR(CheckRefund(payment));
  if (payment.status == Status::kRefunded) return payment;
  payment.status = Status::kRefunded;
  payment.refund_reason = reason;
  RETURN_IF_ERROR(WriteOutcomeOf(session, context, payment));
  return payment;
}

}  // namespace bv::payment
