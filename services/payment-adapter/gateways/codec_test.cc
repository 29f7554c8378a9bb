#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/soap/soap.h"
#include "services/payment-adapter/gateways/rest_codec.h"
#include "services/payment-adapter/gateways/soap_codec.h"

namespace bv::payment {
namespace {

constexpr char kNs[] = "urn:bivouac:payment-gateway:v1";

GatewayRequest Charge() {
  return {.operation = Operation::kCharge, .order = "demo:ord_1", .money = {12950, Currency::Trusted("USD")}};
}
GatewayRequest LookUp() {
  return {.operation = Operation::kLookUp, .order = "demo:ord_1", .money = {12950, Currency::Trusted("USD")}};
}

soap::Element Approved(std::string_view message = "ProcessPaymentResponse") {
  soap::Element body{.ns = kNs, .name = std::string(message)};
  body.Add("orderId", "demo:ord_1");
  body.Add("status", "APPROVED");
  body.Add("transactionId", "t1");
  body.Add("amount", "129.50");
  body.Add("currency", "USD");
  return body;
}

soap::Element With(std::string_view name, std::string_view text) {
  soap::Element body = Approved();
  for (soap::Element& child : body.children) {
    if (child.name == name) child.text = std::string(text);
  }
  return body;
}

Result Soap(const GatewayRequest& request, const soap::Element& body) {
  return DecodeSoap(request, soap::WriteEnvelope(body));
}

TEST(SoapCodec, Requests) {
  const absl::StatusOr<soap::Element> charge = soap::ReadEnvelope(EncodeSoap(Charge()), {});
  ASSERT_TRUE(charge.ok());
  EXPECT_EQ(charge->ns, kNs);
  EXPECT_EQ(charge->name, "ProcessPayment");
  EXPECT_EQ(charge->TextOf("orderId"), "demo:ord_1");
  EXPECT_EQ(charge->TextOf("amount"), "129.50");
  EXPECT_EQ(charge->TextOf("currency"), "USD");
  const absl::StatusOr<soap::Element> look_up = soap::ReadEnvelope(EncodeSoap(LookUp()), {});
  ASSERT_TRUE(look_up.ok());
  EXPECT_EQ(look_up->name, "GetPayment");
  EXPECT_EQ(look_up->children.size(), 1u);
  GatewayRequest yen = Charge();
  yen.money = {1500, Currency::Trusted("JPY")};
  EXPECT_NE(EncodeSoap(yen).find(">1500<"), std::string::npos);
}

TEST(SoapCodec, Answers) {
  const Result approved = Soap(Charge(), Approved());
  EXPECT_EQ(approved.outcome, Outcome::kSucceeded);
  EXPECT_EQ(approved.reference, "t1");
  soap::Element declined = With("status", "DECLINED");
  declined.Add("reason", "INSUFFICIENT_FUNDS");
  EXPECT_EQ(Soap(Charge(), declined).outcome, Outcome::kDeclined);
  EXPECT_EQ(Soap(Charge(), declined).detail, "INSUFFICIENT_FUNDS");
  declined.children.back().text = "no money <3";
  EXPECT_EQ(Soap(Charge(), declined).detail, "DECLINED");
  soap::Element missing{.ns = kNs, .name = "GetPaymentResponse"};
  missing.Add("orderId", "demo:ord_1");
  missing.Add("status", "NOT_FOUND");
  EXPECT_EQ(Soap(LookUp(), missing).outcome, Outcome::kNotFound);
  soap::Element refunded = With("status", "REFUNDED");
  refunded.name = "GetPaymentResponse";
  EXPECT_TRUE(Soap(LookUp(), refunded).refunded);
  EXPECT_EQ(DecodeSoap(Charge(), soap::WriteFault({"Server", "down"})).outcome, Outcome::kFault);
}

TEST(SoapCodec, WhatDoesNotBelongToTheRequestIsNotBelieved) {
  EXPECT_EQ(Soap(Charge(), With("orderId", "demo:ord_2")).outcome, Outcome::kUnknown);
  EXPECT_EQ(Soap(Charge(), With("amount", "129.51")).outcome, Outcome::kUnknown);
  EXPECT_EQ(Soap(Charge(), With("currency", "EUR")).outcome, Outcome::kUnknown);
  EXPECT_EQ(Soap(Charge(), With("transactionId", "")).outcome, Outcome::kUnknown);
  EXPECT_EQ(Soap(Charge(), With("status", "REFUNDED")).outcome, Outcome::kUnknown);
  EXPECT_EQ(Soap(Charge(), With("status", "NOT_FOUND")).outcome, Outcome::kUnknown);
  EXPECT_EQ(Soap(LookUp(), With("status", "DECLINED")).outcome, Outcome::kUnknown);
  EXPECT_EQ(Soap(LookUp(), Approved()).outcome, Outcome::kUnknown);
  soap::Element foreign = Approved();
  foreign.ns = "urn:other";
  EXPECT_EQ(Soap(Charge(), foreign).outcome, Outcome::kUnknown);
}

TEST(SoapCodec, HostileAnswers) {
  const std::string whole = soap::WriteEnvelope(Approved());
  EXPECT_EQ(DecodeSoap(Charge(), whole.substr(0, whole.size() / 2)).outcome, Outcome::kUnknown);
  EXPECT_EQ(DecodeSoap(Charge(), "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>" + whole).outcome,
            Outcome::kUnknown);
  EXPECT_EQ(DecodeSoap(Charge(), std::string(100'000, '<')).outcome, Outcome::kUnknown);
  EXPECT_EQ(DecodeSoap(Charge(), "").outcome, Outcome::kUnknown);
  soap::Fault long_fault{.code = "Server"};
  long_fault.text.assign(5'000, 'x');
  const Result fault = DecodeSoap(Charge(), soap::WriteFault(long_fault));
  EXPECT_LE(fault.detail.size(), 200u);
  const Result binary = DecodeSoap(Charge(), soap::WriteFault({"Server", "\xff\xfe"}));
  EXPECT_EQ(binary.detail, "Server: ??");
}

TEST(RestCodec, RequestsAndAnswers) {
  EXPECT_EQ(EncodeRest(Charge()), R"({"orderId":"demo:ord_1","amount":"129.50","currency":"USD"})");
  EXPECT_EQ(EncodeRest(LookUp()), "");
  const std::string approved =
      R"({"orderId":"demo:ord_1","status":"APPROVED","transactionId":"t1","amount":"129.5","currency":"USD"})";
  EXPECT_EQ(DecodeRest(Charge(), 200, approved).outcome, Outcome::kSucceeded);
  EXPECT_EQ(DecodeRest(LookUp(), 404, R"({"orderId":"demo:ord_1","status":"NOT_FOUND"})").outcome,
            Outcome::kNotFound);
  EXPECT_EQ(DecodeRest(Charge(), 200, R"({"orderId":"demo:ord_1","status":"DECLINED","reason":"X"})").outcome,
            Outcome::kDeclined);
  EXPECT_EQ(DecodeRest(Charge(), 500, R"({"code":"FAULT","message":"m"})").outcome, Outcome::kFault);
}

TEST(RestCodec, WhatIsNotOfTheGatewayIsNotBelieved) {
  // A proxy's 404 says nothing about the order.
  EXPECT_EQ(DecodeRest(LookUp(), 404, "<html>404</html>").outcome, Outcome::kUnknown);
  EXPECT_EQ(DecodeRest(LookUp(), 404, R"({"error":"no route"})").outcome, Outcome::kUnknown);
  EXPECT_EQ(DecodeRest(Charge(), 502, "").outcome, Outcome::kUnknown);
  EXPECT_EQ(DecodeRest(Charge(), 200, R"({"orderId":"demo:ord_1","status":"APPR)").outcome,
            Outcome::kUnknown);
  EXPECT_EQ(DecodeRest(Charge(), 200, R"({"orderId":1,"status":{}})").outcome, Outcome::kUnknown);
  EXPECT_EQ(DecodeRest(Charge(), 200, std::string(60'000, '[')).outcome, Outcome::kUnknown);
  EXPECT_EQ(DecodeRest(Charge(), 200, std::string(8'000, ' ')).outcome, Outcome::kUnknown);
}

TEST(GatewayResults, ErrorsOfTheTransport) {
  EXPECT_EQ(ResultOf(Unavailable("NOT_SENT", "x")).outcome, Outcome::kRefused);
  EXPECT_EQ(ResultOf(Unavailable("CONNECTION_LOST", "x")).outcome, Outcome::kUnknown);
}

}  // namespace
}  // namespace bv::payment
