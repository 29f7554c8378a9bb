#include "services/notification/edge/front.h"

#include "libs/base/error.h"
#include "libs/http/problem.h"
#include "libs/telemetry/telemetry.h"

namespace bv::notification {
namespace {

constexpr std::string_view kOrders = "/ws/orders";
constexpr std::string_view kSales = "/sse/flash-sales";

void AnswerHealth(bool good, http::Response& response) {
  response.status = good ? 200 : 503;
  response.AddHeader("Content-Type", "application/json");
  response.body = good ? R"({"status":"ok"})" : R"({"status":"not ready"})";
}

http::Problem ProblemOf(const absl::Status& status, const http::Request& request, http::Response& response) {
  http::Problem problem = http::ProblemOf(status, http::RefusedBy::kHere, request);
  if (problem.code == "UPGRADE_REQUIRED") {
    problem.status = 426;
    response.AddHeader("Upgrade", "websocket");
    response.AddHeader("Sec-WebSocket-Version", "13");
  }
  if (problem.code == "METHOD_NOT_ALLOWED") {
    problem.status = 405;
    response.AddHeader("Allow", "GET");
  }
  return problem;
}

}  // namespace

async::Task<void> Front::Handle(const http::Request& request, http::Response& response) const {
  const absl::Status status = Answer(request, response);
  if (status.ok()) co_return;
  const TraceContext trace = telemetry::ParseTraceparent(request.Find("traceparent"));
  const http::Problem problem = ProblemOf(status, request, response);
  if (problem.status == 500)
    telemetry::LogLimited(telemetry::Level::kError, "request failed", {{"error", status}});
  http::WriteProblem(problem, request.path, trace.trace_id, response);
}

absl::Status Front::Answer(const http::Request& request, http::Response& response) const {
  if (request.path == kOrders) {
    response.route = "GET /ws/orders";
    return orders_.Open(request, response);
  }
  if (request.path == kSales) {
    response.route = "GET /sse/flash-sales";
    if (request.method == "GET") return sales_.Open(request, response);
    return Error(absl::StatusCode::kInvalidArgument, "METHOD_NOT_ALLOWED", "the path has GET");
  }
  if (request.path == "/healthz" || request.path == "/readyz") {
    response.route = request.path == "/healthz" ? "GET /healthz" : "GET /readyz";
    AnswerHealth(request.path == "/healthz" || ready_(), response);
    return absl::OkStatus();
  }
  return NotFound("ROUTE_NOT_FOUND", "no such path");
}

void Front::Refuse(const http::Refusal& refusal, http::Response& response) const {
  http::Problem problem{
      .status = refusal.status, .code = std::string(refusal.reason), .detail = std::string(refusal.detail)};
  if (refusal.status == 503) problem.retry_after = absl::Seconds(1);
  http::WriteProblem(problem, {}, telemetry::ParseTraceparent({}).trace_id, response);
}

}  // namespace bv::notification
