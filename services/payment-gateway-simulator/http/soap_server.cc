#include "services/payment-gateway-simulator/http/soap_server.h"

#include <absl/strings/str_replace.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/soap/soap.h"

namespace bv::simulator {
namespace {

constexpr std::string_view kNs = "urn:bivouac:payment-gateway:v1";

struct Message {
  std::string_view request;
  std::string_view response;
  Operation operation;
};
constexpr Message kMessages[] = {{"ProcessPayment", "ProcessPaymentResponse", Operation::kCharge},
                                 {"GetPayment", "GetPaymentResponse", Operation::kLookUp},
                                 {"RefundPayment", "RefundPaymentResponse", Operation::kRefund}};

absl::StatusOr<Command> CommandOf(std::string_view text) {
  ASSIGN_OR_RETURN(const soap::Element body, soap::ReadEnvelope(text, soap::Limits()));
  for (const Message& message : kMessages) {
    if (body.ns == kNs && body.name == message.request) {
      return MakeCommand(message.operation, body.TextOf("orderId"), body.TextOf("amount"),
                         body.TextOf("currency"));
    }
  }
  return InvalidValue("Body", Concat("there is no operation ", body.name));
}

std::string Envelope(Operation operation, const Reply& reply) {
  soap::Element body{.ns = std::string(kNs)};
  for (const Message& message : kMessages) {
    if (message.operation == operation) body.name = std::string(message.response);
  }
  body.Add("orderId", reply.order);
  body.Add("status", Word(reply.state));
  if (!reply.transaction.empty()) body.Add("transactionId", reply.transaction);
  if (!reply.reason.empty()) body.Add("reason", reply.reason);
  if (!reply.amount.currency.empty()) {
    body.Add("amount", DecimalOf(reply.amount));
    body.Add("currency", reply.amount.currency.code());
  }
  return soap::WriteEnvelope(body);
}

// Faults go with HTTP 500 (SOAP 1.1, 6.2).
void AnswerFault(std::string_view code, std::string_view text, http::Response& response) {
  response.status = 500;
  response.body = soap::WriteFault({.code = std::string(code), .text = std::string(text)});
}

void AnswerReply(Operation operation, const absl::StatusOr<Reply>& reply, http::Response& response) {
  if (reply.ok()) {
    response.body = Envelope(operation, *reply);
  } else {
    AnswerFault(absl::IsFailedPrecondition(reply.status()) ? "Client" : "Server",
                Concat(ErrorReason(reply.status()), ": ", Std(reply.status().message())), response);
  }
}

void Answer(Operation operation, const Performance& performance, http::Response& response) {
  switch (performance.show) {
    case Show::kHangUp:
      response.hang_up = true;
      break;
    case Show::kPlainError:
      response.status = 500;
      response.body = "the gateway has an error";
      break;
    case Show::kFault:
      AnswerFault("Server", "the gateway was told to fail", response);
      break;
    case Show::kEntityBomb:
      response.body = EntityBomb();
      break;
    case Show::kHuge:
      response.body = HugeText();
      break;
    case Show::kMalformed:
      AnswerReply(operation, performance.reply, response);
      response.body.resize(response.body.size() / 2);
      break;
    case Show::kReply:
      AnswerReply(operation, performance.reply, response);
      break;
  }
}

}  // namespace

async::Task<void> SoapServer::Handle(const http::Request& request, http::Response& response) {
  response.route = "SOAP";
  if (request.method == "GET" && request.query == "wsdl") {
    ShowWsdl(request, response);
    co_return;
  }
  response.AddHeader("Content-Type", soap::kContentType);
  if (request.method != "POST") {
    response.status = 405;
    response.AddHeader("Allow", "POST");
    co_return;
  }
  absl::StatusOr<Command> command = CommandOf(request.body);
  if (!command.ok()) {
    AnswerFault("Client", Concat(ErrorReason(command.status()), ": ", Std(command.status().message())),
                response);
    co_return;
  }
  const Operation operation = command->operation;
  const Performance performance = co_await gateway_.Perform(*std::move(command), request.stop);
  Answer(operation, performance, response);
}

void SoapServer::ShowWsdl(const http::Request& request, http::Response& response) const {
  const std::string host =
      absl::StrReplaceAll(Absl(request.Find("host")), {{"&", ""}, {"<", ""}, {"\"", ""}});
  response.AddHeader("Content-Type", soap::kContentType);
  response.body = absl::StrReplaceAll(wsdl_, {{"GATEWAY_LOCATION", Concat("http://", host, request.path)}});
}

void SoapServer::Refuse(const http::Refusal& refusal, http::Response& response) {
  response.AddHeader("Content-Type", "text/plain");
  response.body = refusal.detail;
}

}  // namespace bv::simulator
