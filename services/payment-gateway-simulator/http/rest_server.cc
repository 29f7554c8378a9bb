#include "services/payment-gateway-simulator/http/rest_server.h"

#include <absl/strings/numbers.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/http/uri.h"
#include "libs/json/json.h"
#include "services/payment-gateway-simulator/http/instruction.h"
#include "services/payment-gateway-simulator/http/json_object.h"

namespace bv::simulator {
namespace {

constexpr std::string_view kPayments = "/payments";
constexpr std::string_view kRefunds = "/refunds";
constexpr std::size_t kLedgerPage = 10'000;

void AppendMember(std::string_view name, std::string_view value, std::string& out) {
  out += out.empty() || out.back() == '{' ? "" : ",";
  json::AppendString(name, out);
  out += ':';
  json::AppendString(value, out);
}

void AppendMoney(const Money& amount, std::string& out) {
  AppendMember("amount", DecimalOf(amount), out);
  AppendMember("currency", amount.currency.code(), out);
}

std::string BodyOf(const Reply& reply) {
  std::string body = "{";
  AppendMember("orderId", reply.order, body);
  AppendMember("status", Word(reply.state), body);
  if (!reply.transaction.empty()) AppendMember("transactionId", reply.transaction, body);
  if (!reply.reason.empty()) AppendMember("reason", reply.reason, body);
  if (!reply.amount.currency.empty()) AppendMoney(reply.amount, body);
  return body + "}";
}

// The gateway's own error; a proxy in between would not know its form.
void AnswerError(int status, std::string_view code, std::string_view message, http::Response& response) {
  response.status = status;
  response.body = "{";
  AppendMember("code", code, response.body);
  AppendMember("message", message, response.body);
  response.body += '}';
}

void AnswerError(const absl::Status& error, http::Response& response) {
  const int status = absl::IsInvalidArgument(error) ? 400 : absl::IsFailedPrecondition(error) ? 409 : 503;
  AnswerError(status, ErrorReason(error), Std(error.message()), response);
}

void AnswerReply(const absl::StatusOr<Reply>& reply, http::Response& response) {
  if (!reply.ok()) return AnswerError(reply.status(), response);
  response.status = reply->state == PaymentState::kNotFound ? 404 : 200;
  response.body = BodyOf(*reply);
}

void Answer(const Performance& performance, http::Response& response) {
  switch (performance.show) {
    case Show::kHangUp:
      response.hang_up = true;
      break;
    case Show::kPlainError:
      response.status = 500;
      response.body = "the gateway has an error";
      break;
    case Show::kFault:
      AnswerError(500, "FAULT", "the gateway was told to fail", response);
      break;
    case Show::kEntityBomb:
      response.body = EntityBomb();
      break;
    case Show::kHuge:
      response.body = HugeText();
      break;
    case Show::kMalformed:
      AnswerReply(performance.reply, response);
      response.body.resize(response.body.size() / 2);
      break;
    case Show::kReply:
      AnswerReply(performance.reply, response);
      break;
  }
}

// POST /payments and /refunds, GET /payments/{orderId}.
absl::StatusOr<Command> CommandOf(const http::Request& request) {
  if (request.method == "GET") {
    std::string order;
    if (!http::PercentDecode(request.path.substr(kPayments.size() + 1), http::UriPart::kPath, order))
      return InvalidValue("orderId", "the path is not percent-encoded");
    return MakeCommand(Operation::kLookUp, order, {}, {});
  }
  ASSIGN_OR_RETURN(const JsonObject object, ReadObject(request.body));
  return MakeCommand(request.path == kRefunds ? Operation::kRefund : Operation::kCharge,
                     TextOf(object, "orderId"), TextOf(object, "amount"), TextOf(object, "currency"));
}

bool IsOfGateway(const http::Request& request) {
  if (request.method == "GET") return request.path.starts_with("/payments/");
  return request.method == "POST" && (request.path == kPayments || request.path == kRefunds);
}

// The value of a query parameter; empty when there is none.
std::string_view Parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
      return pair.substr(name.size() + 1);
  }
  return {};
}

}  // namespace

Gateway* RestServer::Find(std::string_view name) {
  return name == "SOAP" ? &soap_ : name == "REST" ? &rest_ : nullptr;
}

async::Task<void> RestServer::Handle(const http::Request& request, http::Response& response) {
  response.AddHeader("Content-Type", "application/json");
  if (IsOfGateway(request)) {
    response.route = "REST";
    co_await Pay(request, response);
  } else if (request.path == "/control") {
    response.route = "control";
    Control(request, response);
  } else if (request.path == "/ledger" && request.method == "GET") {
    response.route = "ledger";
    ShowLedger(request, response);
  } else {
    AnswerError(404, "NO_SUCH_ROUTE", "there is no such route", response);
  }
}

async::Task<void> RestServer::Pay(const http::Request& request, http::Response& response) {
  absl::StatusOr<Command> command = CommandOf(request);
  if (!command.ok()) {
    AnswerError(command.status(), response);
    co_return;
  }
  const Performance performance = co_await rest_.Perform(*std::move(command), request.stop);
  Answer(performance, response);
}

void RestServer::Control(const http::Request& request, http::Response& response) {
  if (request.method == "DELETE") {
    soap_.faults().Tell({});
    rest_.faults().Tell({});
  } else if (request.method == "POST") {
    const absl::StatusOr<JsonObject> object = ReadObject(request.body);
    if (!object.ok()) return AnswerError(object.status(), response);
    Gateway* gateway = Find(TextOf(*object, "gateway"));
    if (!gateway) return AnswerError(InvalidValue("gateway", "must be SOAP or REST"), response);
    absl::StatusOr<Instruction> instruction = InstructionOf(*object, gateway->processing_max());
    if (!instruction.ok()) return AnswerError(instruction.status(), response);
    gateway->faults().Tell(*std::move(instruction));
  } else if (request.method != "GET") {
    return AnswerError(405, "METHOD_NOT_ALLOWED", "GET, POST or DELETE", response);
  }
  response.body = R"({"SOAP":)";
  AppendInstruction(soap_.faults().told(), response.body);
  response.body += R"(,"REST":)";
  AppendInstruction(rest_.faults().told(), response.body);
  response.body += '}';
}

void RestServer::ShowLedger(const http::Request& request, http::Response& response) {
  Gateway* gateway = Find(Parameter(request.query, "gateway"));
  std::int64_t after = 0;
  const std::string_view after_text = Parameter(request.query, "after");
  if (!gateway || (!after_text.empty() && !absl::SimpleAtoi(Absl(after_text), &after)) || after < 0)
    return AnswerError(InvalidValue("gateway", "/ledger?gateway=SOAP or REST, and after=<number>"), response);
  const std::vector<Entry> entries = gateway->ledger().Read(after, kLedgerPage);
  response.body = R"({"entries":[)";
  for (const Entry& entry : entries) {
    response.body += response.body.back() == '[' ? "{" : ",{";
    response.body += Concat(R"("number":)", entry.number);
    AppendMember("kind", entry.kind == Kind::kCharge ? "CHARGE" : "REFUND", response.body);
    AppendMember("orderId", entry.order, response.body);
    AppendMoney(entry.amount, response.body);
    AppendMember("transactionId", entry.transaction, response.body);
    AppendMember("at", absl::FormatTime(absl::RFC3339_full, entry.at, absl::UTCTimeZone()), response.body);
    response.body += '}';
  }
  response.body += Concat(R"(],"next":)", entries.size() < kLedgerPage ? 0 : entries.back().number, "}");
}

void RestServer::Refuse(const http::Refusal& refusal, http::Response& response) {
  AnswerError(refusal.status, refusal.reason, refusal.detail, response);
}

}  // namespace bv::simulator
