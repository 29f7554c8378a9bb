// The rows of payments and of their requests to gateways. Everything here runs inside a transaction or read
// of `session`, and throws what libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/payment-adapter/domain/payment.h"

namespace bv::payment {

// The right to drive a payment: one holder at a time, until the lease is given back or has run out.
struct Lease {
  std::string holder;
  absl::Duration time;
};

// Holds off other changes of the order's payments until the transaction ends.
void LockOrder(postgres::Session& session, const TenantId& tenant, const OrderId& order);

std::optional<Payment> ReadPayment(postgres::Session& session, const TenantId& tenant, const PaymentId& id);
// Oldest first.
std::vector<Payment> ReadPaymentsOfOrder(postgres::Session& session, const TenantId& tenant,
                                         const OrderId& order);
// The last ones of a payment, oldest first.
std::vector<Attempt> ReadAttempts(postgres::Session& session, const TenantId& tenant, const PaymentId& id);

// False when there is a payment of this id already.
bool InsertPayment(postgres::Session& session, const TenantId& tenant, const Payment& payment);
void WritePayment(postgres::Session& session, const TenantId& tenant, const Payment& payment);
// The number of the next event about the order.
std::int64_t NextVersion(postgres::Session& session, const TenantId& tenant, const OrderId& order);

// Takes the lease, or makes an own one longer. False while another has it. Holds off others until the
// transaction ends.
bool TakeLease(postgres::Session& session, const TenantId& tenant, const PaymentId& id, const Lease& lease);
// The same, also when it has run out, as long as nobody else has taken it.
bool KeepLease(postgres::Session& session, const TenantId& tenant, const PaymentId& id, const Lease& lease);
void ReleaseLease(postgres::Session& session, const TenantId& tenant, const PaymentId& id,
                  const std::string& holder);

// Also forgets the oldest, so that a payment that is driven for days has a bounded history.
void InsertAttempt(postgres::Session& session, const TenantId& tenant, const PaymentId& id,
                   const Attempt& attempt);
void WriteOutcome(postgres::Session& session, const TenantId& tenant, const PaymentId& id, int number,
                  const Result& result);

}  // namespace bv::payment
