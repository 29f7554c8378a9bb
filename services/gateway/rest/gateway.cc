#include "services/gateway/rest/gateway.h"

#include <google/protobuf/arena.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"
#include "services/gateway/rest/caller.h"
#include "services/gateway/rest/transcode.h"

namespace bv::gateway {
namespace {

using google::protobuf::Message;
using http::Problem;
using telemetry::Level;

absl::Status Serialize(const Message& message, grpc::ByteBuffer& buffer) {
  bool own_buffer = false;
  const grpc::Status status = grpc::SerializationTraits<Message>::Serialize(message, &buffer, &own_buffer);
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.error_message());
}

absl::Status Deserialize(grpc::ByteBuffer& buffer, Message& message) {
  const grpc::Status status = grpc::SerializationTraits<Message>::Deserialize(&buffer, &message);
  return status.ok() ? absl::OkStatus()
                     : absl::InternalError(Concat("response is no ", message.GetTypeName()));
}

bool IsTunnelled(std::string_view path) {
  return path.starts_with("/ws/") || path.starts_with("/sse/");
}

std::optional<Problem> CheckRoute(const Match& match, http::Response& response) {
  if (match.route != nullptr) return std::nullopt;
  if (match.allow.empty()) return Problem{.status = 404, .code = "ROUTE_NOT_FOUND", .detail = "no such path"};
  response.AddHeader("Allow", match.allow);
  return Problem{.status = 405, .code = "METHOD_NOT_ALLOWED", .detail = Concat("the path has ", match.allow)};
}

std::optional<Problem> CheckMediaType(const http::Request& request, const Route& route) {
  if (request.body.empty() || route.body == Body::kNone || IsJson(request.Find("Content-Type")))
    return std::nullopt;
  return Problem{.status = 415,
                 .code = "UNSUPPORTED_MEDIA_TYPE",
                 .detail = "must be application/json",
                 .field = "Content-Type"};
}

}  // namespace

async::Task<void> Gateway::Handle(const http::Request& request, http::Response& response) const {
  if (AnswerHealth(request, response)) co_return;
  const absl::Time start = absl::Now();
  const bool is_tunnelled = request.method == "GET" && request.body.empty() && IsTunnelled(request.path);
  const Match match = routes_.Find(request.method, request.path);
  response.route = is_tunnelled             ? "tunnel"
                   : match.route != nullptr ? std::string_view(match.route->name)
                                            : "unmatched";
  telemetry::Span span(response.route, telemetry::SpanKind::kServer,
                       telemetry::ParseTraceparent(request.Find("traceparent")));
  RequestContext context{.trace = span.context(), .deadline = start + request_timeout_, .stop = request.stop};

  std::string request_id;
  Outcome outcome{.status = ReadRequestIds(request, context, request_id)};
  response.AddHeader("X-Request-Id", request_id);
  response.AddHeader("Correlation-Id", context.correlation_id);
  std::optional<Problem> problem;
  if (is_tunnelled) {
    if (outcome.status.ok()) outcome.status = co_await HandOn(request, context, response);
    if (outcome.status.ok()) co_return;
  }
  if (outcome.status.ok()) problem = CheckRoute(match, response);
  if (outcome.status.ok() && !problem) outcome.status = Admit(request, *match.route, verifier_, context);
  if (outcome.status.ok() && !problem) problem = CheckMediaType(request, *match.route);
  if (outcome.status.ok() && !problem) outcome = co_await Call(request, match, context, response);
  if (!outcome.status.ok()) problem = http::ProblemOf(outcome.status, outcome.refused_by, request);
  if (problem) {
    response.body.clear();
    http::WriteProblem(*problem, request.path, context.trace.trace_id, response);
  }
  if (response.status >= 500) {
    span.Fail(outcome.status);
    telemetry::Log(problem->status == 500 ? Level::kError : Level::kWarn, context, "request failed",
                   {{"route", response.route}, {"status", response.status}, {"error", outcome.status}});
  } else if (telemetry::LogEnabled(Level::kDebug)) {
    telemetry::Log(
        Level::kDebug, context, "request",
        {{"route", response.route}, {"status", response.status}, {"durationMs", absl::Now() - start}});
  }
}

async::Task<Gateway::Outcome> Gateway::Call(const http::Request& request, const Match& match,
                                            const RequestContext& context, http::Response& response) const {
  const Route& route = *match.route;
  google::protobuf::Arena arena;
  grpc::ByteBuffer request_bytes;
  const auto prepare = [&]() -> absl::Status {
    Message& message = *route.request->New(&arena);
    RETURN_IF_ERROR(ReadRequest(request, match, message));
    return Serialize(message, request_bytes);
  };
  Outcome outcome{.status = prepare()};
  if (!outcome.status.ok()) co_return outcome;

  absl::StatusOr<rpc::Peer::RawResponse> raw =
      co_await route.peer->CallRaw(*route.method, request_bytes, context);
  outcome = {.status = raw.status(), .refused_by = http::RefusedBy::kService};
  if (!outcome.status.ok()) co_return outcome;
  const auto answer = [&]() -> absl::Status {
    Message& message = *route.response->New(&arena);
    RETURN_IF_ERROR(Deserialize(raw->message, message));
    if (raw->replayed) response.AddHeader("Idempotency-Replayed", "true");
    return WriteResponse(route, message, response);
  };
  outcome.status = answer();
  co_return outcome;
}

async::Task<absl::Status> Gateway::HandOn(const http::Request& request, const RequestContext& context,
                                          http::Response& response) const {
  // Whoever is behind believes these, so none of the client's own go on.
  http::Tunnels::Headers headers = {{"X-Forwarded-For", std::string(request.client_address)},
                                    {"X-Forwarded-Host", std::string(request.Find("Host"))},
                                    {"Forwarded", ""},
                                    {"traceparent", context.trace.ToTraceparent()},
                                    {"Correlation-Id", context.correlation_id}};
  co_return co_await tunnels_.Open(request, std::move(headers), response);
}

bool Gateway::AnswerHealth(const http::Request& request, http::Response& response) const {
  const bool alive = request.path == "/healthz";
  if ((!alive && request.path != "/readyz") || (request.method != "GET" && request.method != "HEAD"))
    return false;
  response.route = alive ? "GET /healthz" : "GET /readyz";
  const bool good = alive || ready_();
  response.status = good ? 200 : 503;
  response.AddHeader("Content-Type", "application/json");
  response.body = good ? "{\"status\":\"ok\"}" : "{\"status\":\"not ready\"}";
  return true;
}

void Gateway::Refuse(const http::Refusal& refusal, http::Response& response) const {
  Problem problem{
      .status = refusal.status, .code = std::string(refusal.reason), .detail = std::string(refusal.detail)};
  if (refusal.status == 503) problem.retry_after = absl::Seconds(1);
  const TraceContext trace = telemetry::ParseTraceparent({});
  response.AddHeader("X-Request-Id", trace.trace_id);
  response.AddHeader("Correlation-Id", trace.trace_id);
  http::WriteProblem(problem, {}, trace.trace_id, response);
}

}  // namespace bv::gateway
