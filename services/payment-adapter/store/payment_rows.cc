#include "services/payment-adapter/store/payment_rows.h"

#include <algorithm>

#include "libs/base/strings.h"
#include "services/payment-adapter/domain/words.h"

namespace bv::payment {
namespace {

using postgres::Statement;

constexpr int kAttemptsKept = 100;
constexpr std::int64_t kNoTime = -1;

Payment PaymentOf(const pqxx::row& row) {
  Payment payment{.id = PaymentId::Trusted(row[0].as<std::string>()),
                  .order = OrderId::Trusted(row[1].as<std::string>()),
                  .money = {row[2].as<std::int64_t>(), Currency::Trusted(row[3].as<std::string>())},
                  .method = MethodOf(row[4].as<std::string>()),
                  .status = StatusOf(row[5].as<std::string>()),
                  .failure_reason = row[6].as<std::string>(),
                  .refund_reason = row[7].as<std::string>(),
                  .gateway = GatewayOf(row[8].as<std::string>()),
                  .reference = row[10].as<std::string>(),
                  .attempts = row[11].as<int>(),
                  .version = row[12].as<std::int64_t>(),
                  .created_at = postgres::TimeFromMicros(row[13]),
                  .updated_at = postgres::TimeFromMicros(row[14])};
  if (!row[9].is_null()) payment.in_doubt_until = postgres::TimeFromMicros(row[9]);
  return payment;
}

}  // namespace

void LockOrder(postgres::Session& session, const TenantId& tenant, const OrderId& order) {
  static constexpr Statement kLock{"payment_lock_order",
                                   "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"};
  session.Exec(kLock, Concat("payment/", tenant.str(), "/", order.str()));
}

std::optional<Payment> ReadPayment(postgres::Session& session, const TenantId& tenant, const PaymentId& id) {
  static constexpr Statement kRead{"payment_read", R"sql(
    SELECT payment_id, order_id, amount, currency, method, status, failure_reason, refund_reason, gateway,
           (extract(epoch FROM in_doubt_until) * 1e6)::bigint, reference, attempts, version,
           (extract(epoch FROM created_at) * 1e6)::bigint, (extract(epoch FROM updated_at) * 1e6)::bigint
    FROM payments WHERE tenant_id = $1 AND payment_id = $2
  )sql"};
  const pqxx::result rows = session.Exec(kRead, tenant.str(), id.str());
  if (rows.empty()) return std::nullopt;
  return PaymentOf(rows[0]);
}

std::vector<Payment> ReadPaymentsOfOrder(postgres::Session& session, const TenantId& tenant,
                                         const OrderId& order) {
  static constexpr Statement kRead{"payment_read_of_order", R"sql(
    SELECT payment_id, order_id, amount, currency, method, status, failure_reason, refund_reason, gateway,
           (extract(epoch FROM in_doubt_until) * 1e6)::bigint, reference, attempts, version,
           (extract(epoch FROM created_at) * 1e6)::bigint, (extract(epoch FROM updated_at) * 1e6)::bigint
    FROM payments WHERE tenant_id = $1 AND order_id = $2
    ORDER BY created_at, payment_id
    LIMIT $3
  )sql"};
  std::vector<Payment> payments;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), order.str(), kPaymentsOfOrderMax))
    payments.push_back(PaymentOf(row));
  return payments;
}

std::vector<Attempt> ReadAttempts(postgres::Session& session, const TenantId& tenant, const PaymentId& id) {
  static constexpr Statement kRead{"payment_attempt_read", R"sql(
    SELECT number, gateway, operation, outcome, detail, (extract(epoch FROM started_at) * 1e6)::bigint,
           coalesce((extract(epoch FROM finished_at - started_at) * 1e6)::bigint, 0)
    FROM payment_attempts WHERE tenant_id = $1 AND payment_id = $2
    ORDER BY number DESC
    LIMIT $3
  )sql"};
  std::vector<Attempt> attempts;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), id.str(), kAttemptsKept)) {
    attempts.push_back({.number = row[0].as<int>(),
                        .gateway = GatewayOf(row[1].as<std::string>()),
                        .operation = OperationOf(row[2].as<std::string>()),
                        .outcome = OutcomeOf(row[3].as<std::string>()),
                        .started_at = postgres::TimeFromMicros(row[5]),
                        .duration = absl::Microseconds(row[6].as<std::int64_t>()),
                        .detail = row[4].as<std::string>()});
  }
  std::ranges::reverse(attempts);
  return attempts;
}

bool InsertPayment(postgres::Session& session, const TenantId& tenant, const Payment& payment) {
  static constexpr Statement kInsert{"payment_insert", R"sql(
    INSERT INTO payments (tenant_id, payment_id, order_id, amount, currency, method, status)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING
  )sql"};
  return session
             .Exec(kInsert, tenant.str(), payment.id.str(), payment.order.str(), payment.money.minor_units,
                   std::string(payment.money.currency.code()), std::string(Word(payment.method)),
                   std::string(Word(payment.status)))
             .affected_rows() == 1;
}

void WritePayment(postgres::Session& session, const TenantId& tenant, const Payment& payment) {
  static constexpr Statement kWrite{"payment_write", R"sql(
    UPDATE payments
    SET status = $3, failure_reason = $4, refund_reason = $5, gateway = $6,
        in_doubt_until = to_timestamp(nullif($7::bigint, -1) / 1e6), reference = $8, attempts = $9, version = $10,
        updated_at = now()
    WHERE tenant_id = $1 AND payment_id = $2
  )sql"};
  session.Exec(kWrite, tenant.str(), payment.id.str(), std::string(Word(payment.status)),
               payment.failure_reason, payment.refund_reason, std::string(Word(payment.gateway)),
               payment.in_doubt() ? absl::ToUnixMicros(*payment.in_doubt_until) : kNoTime, payment.reference,
               payment.attempts, payment.version);
}

std::int64_t NextVersion(postgres::Session& session, const TenantId& tenant, const OrderId& order) {
  static constexpr Statement kNext{
      "payment_next_version",
      "SELECT coalesce(max(version), 0) + 1 FROM payments WHERE tenant_id = $1 AND order_id = $2"};
  return session.Exec(kNext, tenant.str(), order.str())[0][0].as<std::int64_t>();
}

bool TakeLease(postgres::Session& session, const TenantId& tenant, const PaymentId& id, const Lease& lease) {
  // By the clock of the moment: now() would be that of a transaction that has waited for the row.
  static constexpr Statement kTake{"payment_lease_take", R"sql(
    UPDATE payments SET lease_holder = $3, lease_until = clock_timestamp() + $4 * interval '1 millisecond'
    WHERE tenant_id = $1 AND payment_id = $2 AND (lease_holder = $3 OR lease_until <= clock_timestamp())
  )sql"};
  return session.Exec(kTake, tenant.str(), id.str(), lease.holder, absl::ToInt64Milliseconds(lease.time))
             .affected_rows() == 1;
}

bool KeepLease(postgres::Session& session, const TenantId& tenant, const PaymentId& id, const Lease& lease) {
  static constexpr Statement kKeep{"payment_lease_keep", R"sql(
    UPDATE payments SET lease_until = clock_timestamp() + $4 * interval '1 millisecond'
    WHERE tenant_id = $1 AND payment_id = $2 AND lease_holder = $3
  )sql"};
  return session.Exec(kKeep, tenant.str(), id.str(), lease.holder, absl::ToInt64Milliseconds(lease.time))
             .affected_rows() == 1;
}

void ReleaseLease(postgres::Session& session, const TenantId& tenant, const PaymentId& id,
                  const std::string& holder) {
  static constexpr Statement kRelease{"payment_lease_release", R"sql(
    UPDATE payments SET lease_holder = '', lease_until = '-infinity'
    WHERE tenant_id = $1 AND payment_id = $2 AND lease_holder = $3
  )sql"};
  session.Exec(kRelease, tenant.str(), id.str(), holder);
}

void InsertAttempt(postgres::Session& session, const TenantId& tenant, const PaymentId& id,
                   const Attempt& attempt) {
  static constexpr Statement kInsert{"payment_attempt_insert", R"sql(
    INSERT INTO payment_attempts (tenant_id, payment_id, number, gateway, operation, outcome)
    VALUES ($1, $2, $3, $4, $5, 'UNKNOWN')
  )sql"};
  static constexpr Statement kForget{
      "payment_attempt_forget",
      "DELETE FROM payment_attempts WHERE tenant_id = $1 AND payment_id = $2 AND number <= $3"};
  session.Exec(kInsert, tenant.str(), id.str(), attempt.number, std::string(Word(attempt.gateway)),
               std::string(Word(attempt.operation)));
  if (attempt.number > kAttemptsKept)
    session.Exec(kForget, tenant.str(), id.str(), attempt.number - kAttemptsKept);
}

void WriteOutcome(postgres::Session& session, const TenantId& tenant, const PaymentId& id, int number,
                  const Result& result) {
  static constexpr Statement kWrite{"payment_attempt_write", R"sql(
    UPDATE payment_attempts SET outcome = $4, detail = $5, finished_at = clock_timestamp()
    WHERE tenant_id = $1 AND payment_id = $2 AND number = $3 AND finished_at IS NULL
  )sql"};
  session.Exec(kWrite, tenant.str(), id.str(), number, std::string(Word(result.outcome)), result.detail);
}

}  // namespace bv::payment
