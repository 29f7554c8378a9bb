// The service commerce.payment.v1.Payments.
#pragma once

#include "commerce/payment/v1/service.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "libs/telemetry/telemetry.h"
#include "services/payment-adapter/providers/provider.h"
#include "services/payment-adapter/rpc/convert.h"

namespace bv::payment {

namespace pb = commerce::payment::v1;

class PaymentRpc {
 public:
  // `card` has CARD, `manual` the other methods.
  PaymentRpc(postgres::Pool& pool, PaymentProvider& card, PaymentProvider& manual)
      : pool_(pool), card_(card), manual_(manual) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Payment> ProcessPayment(rpc::Call<pb::ProcessPaymentRequest> call);
  rpc::Reply<pb::Payment> ConfirmPayment(rpc::Call<pb::ConfirmPaymentRequest> call);
  rpc::Reply<pb::Payment> RefundPayment(rpc::Call<pb::RefundPaymentRequest> call);
  rpc::Reply<pb::Payment> GetPayment(rpc::Call<pb::GetPaymentRequest> call);
  rpc::Reply<pb::ListPaymentsResponse> ListPayments(rpc::Call<pb::ListPaymentsRequest> call);

 private:
  PaymentProvider& ProviderOf(Method method) { return method == Method::kCard ? card_ : manual_; }
  async::Task<absl::StatusOr<PaymentWithAttempts>> Read(PaymentId id, const RequestContext& context);
  // The answer of every call that changes a payment. The call's own time may be over when the outcome is
  // stored.
  rpc::Reply<pb::Payment> Show(absl::StatusOr<Payment> payment, const RequestContext& context);

  postgres::Pool& pool_;
  PaymentProvider& card_;
  PaymentProvider& manual_;
};

}  // namespace bv::payment
