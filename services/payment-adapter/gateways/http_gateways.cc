#include "services/payment-adapter/gateways/http_gateways.h"

#include "libs/base/strings.h"
#include "libs/http/uri.h"
#include "libs/soap/soap.h"
#include "services/payment-adapter/gateways/rest_codec.h"
#include "services/payment-adapter/gateways/soap_codec.h"

namespace bv::payment {

async::Task<Result> SoapGateway::Send(GatewayRequest request, absl::Time deadline) {
  http::ClientRequest message{.method = "POST", .target = client_.url().path, .body = EncodeSoap(request)};
  message.headers.emplace_back("Content-Type", soap::kContentType);
  message.headers.emplace_back("SOAPAction", SoapAction(request.operation));
  const absl::StatusOr<http::Answer> answer = co_await client_.Send(message, deadline);
  if (!answer.ok()) co_return ResultOf(answer.status());
  // Faults come with 500 (SOAP 1.1, 6.2). What comes with another status is not of the gateway.
  if (answer->status != 200 && answer->status != 500)
    co_return ResultOf(Outcome::kUnknown, Concat("HTTP ", answer->status));
  co_return DecodeSoap(request, answer->body);
}

async::Task<Result> RestGateway::Send(GatewayRequest request, absl::Time deadline) {
  http::ClientRequest message{.method = request.operation == Operation::kLookUp ? "GET" : "POST",
                              .target = TargetOf(request),
                              .body = EncodeRest(request)};
  message.headers.emplace_back("Accept", "application/json");
  if (!message.body.empty()) message.headers.emplace_back("Content-Type", "application/json");
  const absl::StatusOr<http::Answer> answer = co_await client_.Send(message, deadline);
  if (!answer.ok()) co_return ResultOf(answer.status());
  co_return DecodeRest(request, answer->status, answer->body);
}

std::string RestGateway::TargetOf(const GatewayRequest& request) const {
  std::string target = client_.url().path;
  if (target.ends_with('/')) target.pop_back();
  target += request.operation == Operation::kRefund ? "/refunds" : "/payments";
  if (request.operation == Operation::kLookUp) {
    target += '/';
    http::AppendPercentEncoded(request.order, target);
  }
  return target;
}

}  // namespace bv::payment
