#include "services/payment-adapter/rpc/payment_rpc.h"

#include "libs/base/macros.h"
#include "libs/base/values.h"
#include "services/payment-adapter/domain/words.h"
#include "services/payment-adapter/store/payment_book.h"

namespace bv::payment {

void PaymentRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.payment.v1.Payments";
  server.Handle(service, "ProcessPayment", *this, &PaymentRpc::ProcessPayment);
  server.Handle(service, "ConfirmPayment", *this, &PaymentRpc::ConfirmPayment);
  server.Handle(service, "RefundPayment", *this, &PaymentRpc::RefundPayment);
  server.Handle(service, "GetPayment", *this, &PaymentRpc::GetPayment);
  server.Handle(service, "ListPayments", *this, &PaymentRpc::ListPayments);
}

rpc::Reply<pb::Payment> PaymentRpc::ProcessPayment(rpc::Call<pb::ProcessPaymentRequest> call) {
  CO_ASSIGN_OR_RETURN(Payment asked, FromProto(call.request()));
  PaymentProvider& provider = ProviderOf(asked.method);
  absl::StatusOr<Payment> payment = co_await provider.Process(std::move(asked), call.context());
  co_return co_await Show(std::move(payment), call.context());
}

rpc::Reply<pb::Payment> PaymentRpc::ConfirmPayment(rpc::Call<pb::ConfirmPaymentRequest> call) {
  CO_ASSIGN_OR_RETURN(Confirmation confirmation, FromProto(call.request()));
  CO_ASSIGN_OR_RETURN(const PaymentWithAttempts found, co_await Read(confirmation.id, call.context()));
  PaymentProvider& provider = ProviderOf(found.payment.method);
  absl::StatusOr<Payment> payment = co_await provider.Confirm(
      std::move(confirmation.id), confirmation.money, std::move(confirmation.reference), call.context());
  co_return co_await Show(std::move(payment), call.context());
}

rpc::Reply<pb::Payment> PaymentRpc::RefundPayment(rpc::Call<pb::RefundPaymentRequest> call) {
  CO_ASSIGN_OR_RETURN(PaymentId id, PaymentId::Parse(call.request().payment_id(), "paymentId"));
  CO_ASSIGN_OR_RETURN(const ReasonCode reason, ReasonCode::Parse(call.request().reason()));
  CO_ASSIGN_OR_RETURN(const PaymentWithAttempts found, co_await Read(id, call.context()));
  PaymentProvider& provider = ProviderOf(found.payment.method);
  absl::StatusOr<Payment> payment = co_await provider.Refund(std::move(id), reason.str(), call.context());
  co_return co_await Show(std::move(payment), call.context());
}

rpc::Reply<pb::Payment> PaymentRpc::GetPayment(rpc::Call<pb::GetPaymentRequest> call) {
  absl::StatusOr<PaymentId> id = PaymentId::Parse(call.request().payment_id());
  if (!id.ok()) co_return PaymentNotFound(call.request().payment_id());
  CO_ASSIGN_OR_RETURN(const PaymentWithAttempts found, co_await Read(*std::move(id), call.context()));
  co_return ToProto(found);
}

rpc::Reply<pb::ListPaymentsResponse> PaymentRpc::ListPayments(rpc::Call<pb::ListPaymentsRequest> call) {
  using Found = std::vector<PaymentWithAttempts>;
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const OrderId order, OrderId::Parse(call.request().order_id(), "orderId"));
  std::function<absl::StatusOr<Found>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Found> {
    Found found;
    for (Payment& payment : ReadPaymentsOfOrder(session, context.tenant, order)) {
      std::vector<Attempt> attempts = ReadAttempts(session, context.tenant, payment.id);
      found.push_back({std::move(payment), std::move(attempts)});
    }
    return found;
  };
  CO_ASSIGN_OR_RETURN(const Found found, co_await pool_.Read<Found>(context, std::move(read)));
  pb::ListPaymentsResponse response;
  for (const PaymentWithAttempts& payment : found) *response.add_payments() = ToProto(payment);
  co_return response;
}

async::Task<absl::StatusOr<PaymentWithAttempts>> PaymentRpc::Read(PaymentId id,
                                                                  const RequestContext& context) {
  std::function<absl::StatusOr<PaymentWithAttempts>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<PaymentWithAttempts> {
    std::optional<Payment> payment = ReadPayment(session, context.tenant, id);
    if (!payment) return PaymentNotFound(id.str());
    return PaymentWithAttempts{*std::move(payment), ReadAttempts(session, context.tenant, id)};
  };
  co_return co_await pool_.Read<PaymentWithAttempts>(context, std::move(read));
}

rpc::Reply<pb::Payment> PaymentRpc::Show(absl::StatusOr<Payment> payment, const RequestContext& context) {
  CO_RETURN_IF_ERROR(payment.status());
  // With all of its requests, also those of earlier calls.
  absl::StatusOr<PaymentWithAttempts> found = co_await Read(payment->id, context);
  // It has happened, whether the history can be read or not.
  if (!found.ok()) found = PaymentWithAttempts{.payment = *std::move(payment)};
  co_return ToProto(*found);
}

}  // namespace bv::payment
