#include "services/payment-adapter/rpc/convert.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/base/values.h"
#include "libs/rpc/timestamp.h"
#include "services/payment-adapter/domain/words.h"

namespace bv::payment {
namespace {

namespace pb = commerce::payment::v1;

constexpr std::size_t kReferenceMax = 100;

absl::StatusOr<Money> MoneyOf(std::int64_t amount, std::string_view currency) {
  Money money{.minor_units = amount};
  ASSIGN_OR_RETURN(money.currency, Currency::Parse(currency));
  if (amount < 1 || amount > kAmountMax)
    return InvalidValue("amount", "must be more than 0 and at most 10^12 minor units");
  return money;
}

absl::StatusOr<Method> FromProto(pb::PaymentMethod method) {
  switch (method) {
    case pb::PAYMENT_METHOD_CARD:
      return Method::kCard;
    case pb::PAYMENT_METHOD_BANK_TRANSFER:
      return Method::kBankTransfer;
    case pb::PAYMENT_METHOD_CASH_ON_DELIVERY:
      return Method::kCashOnDelivery;
    default:
      return InvalidValue("method", "must be CARD, BANK_TRANSFER or CASH_ON_DELIVERY");
  }
}

// The enums of domain and contract have the same order; the contract's begin with UNSPECIFIED.
template <class ProtoEnum, class Enum>
ProtoEnum ToProtoEnum(Enum value) {
  return static_cast<ProtoEnum>(static_cast<int>(value) + 1);
}

}  // namespace

absl::StatusOr<Payment> FromProto(const pb::ProcessPaymentRequest& request) {
  Payment payment;
  ASSIGN_OR_RETURN(payment.id, PaymentId::Parse(request.payment_id(), "paymentId"));
  ASSIGN_OR_RETURN(payment.order, OrderId::Parse(request.order_id(), "orderId"));
  ASSIGN_OR_RETURN(payment.money, MoneyOf(request.amount(), request.currency()));
  ASSIGN_OR_RETURN(payment.method, FromProto(request.method()));
  return payment;
}

absl::StatusOr<Confirmation> FromProto(const pb::ConfirmPaymentRequest& request) {
  Confirmation confirmation{.reference = request.reference()};
  ASSIGN_OR_RETURN(confirmation.id, PaymentId::Parse(request.payment_id(), "paymentId"));
  ASSIGN_OR_RETURN(confirmation.money, MoneyOf(request.amount(), request.currency()));
  RETURN_IF_ERROR(CheckText(request.reference(), 1, kReferenceMax, "reference"));
  return confirmation;
}

pb::Payment ToProto(const PaymentWithAttempts& from) {
  const Payment& payment = from.payment;
  pb::Payment result;
  result.set_payment_id(payment.id.str());
  result.set_order_id(payment.order.str());
  result.set_amount(payment.money.minor_units);
  result.set_currency(std::string(payment.money.currency.code()));
  result.set_method(ToProtoEnum<pb::PaymentMethod>(payment.method));
  result.set_status(ToProtoEnum<pb::PaymentStatus>(payment.status));
  // While it is PROCESSING, a decline is not the last word.
  if (payment.status == Status::kFailed) result.set_failure_reason(payment.failure_reason);
  result.set_gateway(std::string(Word(payment.gateway)));
  result.set_reference(payment.reference);
  for (const Attempt& attempt : from.attempts) {
    pb::PaymentAttempt* line = result.add_attempts();
    line->set_gateway(std::string(Word(attempt.gateway)));
    line->set_operation(std::string(Word(attempt.operation)));
    line->set_outcome(std::string(Word(attempt.outcome)));
    *line->mutable_started_at() = rpc::ToTimestamp(attempt.started_at);
    line->set_duration_ms(absl::ToInt64Milliseconds(attempt.duration));
    line->set_detail(attempt.detail);
  }
  *result.mutable_created_at() = rpc::ToTimestamp(payment.created_at);
  *result.mutable_updated_at() = rpc::ToTimestamp(payment.updated_at);
  return result;
}

}  // namespace bv::payment
