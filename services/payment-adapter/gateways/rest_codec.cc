#include "services/payment-adapter/gateways/rest_codec.h"

#include <rapidjson/document.h>

#include "libs/base/strings.h"
#include "libs/json/json.h"

namespace bv::payment {
namespace {

constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

void AppendMember(std::string_view name, std::string_view value, std::string& out) {
  out += out.empty() ? "{" : ",";
  json::AppendString(name, out);
  out += ':';
  json::AppendString(value, out);
}

// Empty for a member that is not there or no text.
std::string TextOf(const rapidjson::Document& document, const char* name) {
  const auto found = document.FindMember(name);
  if (found == document.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

}  // namespace

std::string EncodeRest(const GatewayRequest& request) {
  if (request.operation == Operation::kLookUp) return {};
  std::string body;
  AppendMember("orderId", request.order, body);
  AppendMember("amount", DecimalOf(request.money), body);
  AppendMember("currency", request.money.currency.code(), body);
  return body + "}";
}

Result DecodeRest(const GatewayRequest& request, int status, std::string_view body) {
  rapidjson::Document document;
  document.Parse<kParseFlags>(body.data(), body.size());
  if (document.HasParseError() || !document.IsObject())
    return ResultOf(Outcome::kUnknown, Concat("HTTP ", status, ": the answer is no JSON object"));
  const std::string code = TextOf(document, "code");
  if (status >= 400 && !code.empty())
    return ResultOf(Outcome::kFault, Concat(code, ": ", TextOf(document, "message")));
  if (status != 200 && status != 404) return ResultOf(Outcome::kUnknown, Concat("HTTP ", status));
  return Judge(request, {.order = TextOf(document, "orderId"),
                         .status = TextOf(document, "status"),
                         .transaction = TextOf(document, "transactionId"),
                         .reason = TextOf(document, "reason"),
                         .amount = TextOf(document, "amount"),
                         .currency = TextOf(document, "currency")});
}

}  // namespace bv::payment
