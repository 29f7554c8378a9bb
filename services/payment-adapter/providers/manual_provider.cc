#include "services/payment-adapter/providers/manual_provider.h"

#include "libs/base/crash_point.h"
#include "libs/base/macros.h"
#include "services/payment-adapter/store/payment_book.h"

namespace bv::payment {

async::Task<absl::StatusOr<Payment>> ManualProvider::Process(Payment asked, const RequestContext& context) {
  asked.status = Status::kPending;
  std::function<absl::StatusOr<Claim>(postgres::Session&)> open = [&](postgres::Session& session) {
    return OpenPayment(session, context.tenant, asked, Lease());
  };
  CrashPoint("payment.open.before");
  CO_ASSIGN_OR_RETURN(Claim claim, co_await pool_.Transact<Claim>(context, std::move(open)));
  CrashPoint("payment.open.after");
  co_return std::move(claim.payment);
}

async::Task<absl::StatusOr<Payment>> ManualProvider::Confirm(PaymentId id, Money money, std::string reference,
                                                             const RequestContext& context) {
  std::function<absl::StatusOr<Payment>(postgres::Session&)> confirm = [&](postgres::Session& session) {
    return ConfirmPayment(session, context, id, money, reference);
  };
  CrashPoint("payment.confirm.before");
  absl::StatusOr<Payment> confirmed = co_await pool_.Transact<Payment>(context, std::move(confirm));
  CrashPoint("payment.confirm.after");
  co_return confirmed;
}

async::Task<absl::StatusOr<Payment>> ManualProvider::Refund(PaymentId id, std::string reason,
                                                            const RequestContext& context) {
  std::function<absl::StatusOr<Payment>(postgres::Session&)> refund = [&](postgres::Session& session) {
    return RefundByHand(session, context, id, reason);
  };
  CrashPoint("payment.refund.before");
  absl::StatusOr<Payment> refunded = co_await pool_.Transact<Payment>(context, std::move(refund));
  CrashPoint("payment.refund.after");
  co_return refunded;
}

}  // namespace bv::payment
