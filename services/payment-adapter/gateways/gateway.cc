#include "services/payment-adapter/gateways/gateway.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/base/values.h"
#include "libs/http/client.h"

namespace bv::payment {
namespace {

constexpr std::size_t kDetailMax = 200;

// A stranger's text as it may be stored and shown.
std::string Printable(std::string_view text) {
  std::string printable(text.substr(0, kDetailMax));
  std::ranges::replace_if(
      printable, [](char c) { return c < ' ' || c > '~'; }, '?');
  return printable;
}

Result Unbelievable(std::string_view why) {
  return ResultOf(Outcome::kUnknown, Concat("the answer ", why));
}

bool IsAmountOf(const GatewayReply& reply, const Money& money) {
  const absl::StatusOr<std::int64_t> amount =
      ParseDecimal(reply.amount, CurrencyDigits(money.currency.code()), "amount");
  return amount.ok() && *amount == money.minor_units && reply.currency == money.currency.code();
}

}  // namespace

Result ResultOf(Outcome outcome, std::string_view detail) {
  return {.outcome = outcome, .detail = Printable(detail)};
}

Result ResultOf(const absl::Status& error) {
  return ResultOf(http::WasNeverSent(error) ? Outcome::kRefused : Outcome::kUnknown,
                  Concat(ErrorReason(error), ": ", Std(error.message())));
}

std::string DecimalOf(const Money& money) {
  return FormatDecimal(money.minor_units, CurrencyDigits(money.currency.code()));
}

Result Judge(const GatewayRequest& request, const GatewayReply& reply) {
  if (reply.order != request.order) return Unbelievable("is about another order");
  if (request.operation == Operation::kLookUp && reply.status == "NOT_FOUND")
    return ResultOf(Outcome::kNotFound, "");
  if (request.operation == Operation::kCharge && reply.status == "DECLINED") {
    return ResultOf(Outcome::kDeclined,
                    ReasonCode::Parse(reply.reason).ok() ? std::string_view(reply.reason) : "DECLINED");
  }
  const bool approved = reply.status == "APPROVED" && request.operation != Operation::kRefund;
  const bool refunded = reply.status == "REFUNDED" && request.operation != Operation::kCharge;
  if (!approved && !refunded) return Unbelievable(Concat("has the status ", reply.status));
  if (!IsAmountOf(reply, request.money)) return Unbelievable("is about another amount");
  if (reply.transaction.empty()) return Unbelievable("names no transaction");
  return {.outcome = Outcome::kSucceeded, .refunded = refunded, .reference = Printable(reply.transaction)};
}

}  // namespace bv::payment
