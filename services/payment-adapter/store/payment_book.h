// The transactions that open, change and close payments. They throw what libpqxx throws, and are rolled back
// by an error. Outcomes and their events are written together.
#pragma once

#include <absl/status/statusor.h>

#include "libs/base/request_context.h"
#include "services/payment-adapter/store/payment_rows.h"

namespace bv::payment {

// NOT_FOUND, reason PAYMENT_NOT_FOUND.
absl::Status PaymentNotFound(std::string_view id);
// ABORTED, reason LEASE_LOST: another drives the payment now.
bool IsLeaseLost(const absl::Status& status);

// A payment, and whether the caller is the one to drive it.
struct Claim {
  Payment payment;
  bool is_ours = false;
};

// Stores a new payment with `asked.status`, or finds it. ALREADY_EXISTS, reason PAYMENT_MISMATCH;
// FAILED_PRECONDITION, reason ALREADY_PAID or TOO_MANY_PAYMENTS; UNAVAILABLE, reason PAYMENT_OUTCOME_UNKNOWN,
// while another payment of the order is PROCESSING.
absl::StatusOr<Claim> OpenPayment(postgres::Session& session, const TenantId& tenant, const Payment& asked,
                                  const Lease& lease);
absl::StatusOr<Claim> ClaimPayment(postgres::Session& session, const TenantId& tenant, const PaymentId& id,
                                   const Lease& lease);

// What has been written of a request before it is sent.
struct BegunAttempt {
  // Before it was begun.
  Payment before;
  Attempt attempt;
  // When it is carried out, or never will be.
  absl::Time over_at;
};
// Writes that a request is about to be sent, which takes at most `over_after` to be over. ABORTED, reason
// LEASE_LOST.
absl::StatusOr<BegunAttempt> BeginAttempt(postgres::Session& session, const TenantId& tenant,
                                          const PaymentId& id, Operation operation, GatewayName gateway,
                                          absl::Duration over_after, const Lease& lease);
// Writes what came of it. Returns the payment as it is afterwards; after the lease was lost, as others made
// it. May run again after an unknown commit.
absl::StatusOr<Payment> FinishAttempt(postgres::Session& session, const RequestContext& context,
                                      const BegunAttempt& begun, const Result& result, const Lease& lease);

// PENDING → SUCCEEDED. Errors as of CheckConfirm; PAYMENT_NOT_FOUND; ALREADY_PAID.
absl::StatusOr<Payment> ConfirmPayment(postgres::Session& session, const RequestContext& context,
                                       const PaymentId& id, const Money& money, const std::string& reference);
// SUCCEEDED → REFUNDING, claimed by `lease`. Errors as of CheckRefund; PAYMENT_NOT_FOUND.
absl::StatusOr<Claim> OpenRefund(postgres::Session& session, const TenantId& tenant, const PaymentId& id,
                                 const std::string& reason, const Lease& lease);
// SUCCEEDED → REFUNDED, for money that a person gives back. Errors as of OpenRefund.
absl::StatusOr<Payment> RefundByHand(postgres::Session& session, const RequestContext& context,
                                     const PaymentId& id, const std::string& reason);

}  // namespace bv::payment
