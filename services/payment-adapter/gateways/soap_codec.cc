#include "services/payment-adapter/gateways/soap_codec.h"

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/soap/soap.h"

namespace bv::payment {
namespace {

constexpr std::string_view kNs = "urn:bivouac:payment-gateway:v1";

std::string_view MessageOf(Operation operation) {
  switch (operation) {
    case Operation::kCharge:
      return "ProcessPayment";
    case Operation::kRefund:
      return "RefundPayment";
    case Operation::kLookUp:
      break;
  }
  return "GetPayment";
}

}  // namespace

std::string SoapAction(Operation operation) {
  return Concat("\"", kNs, "#", MessageOf(operation), "\"");
}

std::string EncodeSoap(const GatewayRequest& request) {
  soap::Element body{.ns = std::string(kNs), .name = std::string(MessageOf(request.operation))};
  body.Add("orderId", request.order);
  if (request.operation != Operation::kLookUp) {
    body.Add("amount", DecimalOf(request.money));
    body.Add("currency", request.money.currency.code());
  }
  return soap::WriteEnvelope(body);
}

Result DecodeSoap(const GatewayRequest& request, std::string_view envelope) {
  const absl::StatusOr<soap::Element> body = soap::ReadEnvelope(envelope, soap::Limits());
  if (!body.ok())
    return ResultOf(Outcome::kUnknown,
                    Concat(ErrorReason(body.status()), ": ", Std(body.status().message())));
  if (const std::optional<soap::Fault> fault = soap::FaultOf(*body))
    return ResultOf(Outcome::kFault, Concat(fault->code, ": ", fault->text));
  if (body->ns != kNs || body->name != Concat(MessageOf(request.operation), "Response"))
    return ResultOf(Outcome::kUnknown, Concat("the answer is a ", body->name));
  return Judge(request, {.order = std::string(body->TextOf("orderId")),
                         .status = std::string(body->TextOf("status")),
                         .transaction = std::string(body->TextOf("transactionId")),
                         .reason = std::string(body->TextOf("reason")),
                         .amount = std::string(body->TextOf("amount")),
                         .currency = std::string(body->TextOf("currency"))});
}

}  // namespace bv::payment
