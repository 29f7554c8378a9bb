#include "services/gateway/rest/gateway.h"

#include <google/protobuf/arena.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/http/uri.h"
#include "libs/telemetry/telemetry.h"
#include "services/gateway/rest/caller.h"
#include "services/gateway/rest/conditional.h"
#include "services/gateway/rest/fields.h"
#include "services/gateway/rest/transcode.h"

// A false alarm of GCC 12 about the frame of Handle.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

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

bool IsHealth(std::string_view path) {
  return path == "/healthz" || path == "/readyz";
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
  if (const std::string_view coding = request.Find("Content-Encoding");
      !coding.empty() && !http::IsSameName(coding, "identity")) {
    return Problem{.status = 415,
                   .code = "UNSUPPORTED_CONTENT_ENCODING",
                   .detail = "bodies of requests are taken as they are",
                   .field = "Content-Encoding"};
  }
  if (request.body.empty() || route.body == Body::kNone || IsJson(request.Find("Content-Type")))
    return std::nullopt;
  return Problem{.status = 415,
                 .code = "UNSUPPORTED_MEDIA_TYPE",
                 .detail = "must be application/json",
                 .field = "Content-Type"};
}

Problem Limited(const LimitState& limits) {
  return Problem{.status = 429,
                 .code = "RATE_LIMITED",
                 .detail = Concat("too many requests by this ", LimitName(*limits.refused_by)),
                 .retry_after = limits.retry_after};
}

Problem Overloaded() {
  return Problem{.status = 503,
                 .code = "OVERLOADED",
                 .detail = "too many requests at once",
                 .retry_after = absl::Seconds(1)};
}

absl::Status ReadSelection(const http::Request& request, const Route& route,
                           std::optional<FieldSelection>& selection) {
  std::string text;
  http::FindParameter(request.query, kFieldsParameter, text);
  if (text.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(selection, FieldSelection::Parse(text, *route.response->GetDescriptor()));
  return absl::OkStatus();
}

bool IsPreflight(const http::Request& request, const Match& match) {
  return request.method == "OPTIONS" && match.route == nullptr && !match.allow.empty();
}

}  // namespace

async::Task<void> Gateway::Handle(const http::Request& request, http::Response& response) const {
  if (AnswerHealth(request, response) || documents_.Answer(request, response)) co_return;
  const absl::Time start = absl::Now();
  const bool is_tunnelled = request.method == "GET" && request.body.empty() && IsTunnelled(request.path);
  Match match = routes_.Find(request.method, request.path);
  if (IsHealth(request.path) || documents_.Has(request.path)) match.allow = "GET, HEAD, OPTIONS";
  const bool is_graphql = graphql_.Find(request, match);
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
  conventions_.cors.Apply(request, response);
  std::string scratch;
  const std::string_view client = conventions_.proxies.ClientOf(request, scratch);
  LimitState limits;
  if (outcome.ok() && !conventions_.limits.TakeAddress(client, limits)) outcome.problem = Limited(limits);
  if (outcome.ok() && is_tunnelled) {
    outcome.status = co_await HandOn(request, client, context, response);
    if (outcome.ok()) co_return;
  } else if (outcome.ok() && IsPreflight(request, match)) {
    response.status = 204;
    response.AddHeader("Allow", match.allow);
    conventions_.cors.AnswerPreflight(request, match.allow, response);
  } else if (outcome.ok()) {
    outcome = Admit(request, match, limits, context, response);
    std::optional<Admission::Place> place;
    if (outcome.ok()) place = conventions_.admission.Enter(match.route->priority);
    if (outcome.ok() && !place) outcome.problem = Overloaded();
    if (outcome.ok() && is_graphql) {
      outcome.refused_by = http::RefusedBy::kService;
      outcome.status = co_await graphql_.Send(request, request_id, context, response, outcome.problem);
    } else if (outcome.ok()) {
      outcome = co_await Call(request, match, context, response);
    }
  }
  Finish(request, match, outcome, limits, context, response);
  if (span.recorded()) span.Set("http.response.status_code", std::to_string(response.status));
  if (response.status >= 500) {
    span.Fail(outcome.status);
    telemetry::Log(response.status == 500 ? Level::kError : Level::kWarn, context, "request failed",
                   {{"route", response.route}, {"status", response.status}, {"error", outcome.status}});
  } else if (telemetry::LogEnabled(Level::kDebug)) {
    telemetry::Log(
        Level::kDebug, context, "request",
        {{"route", response.route}, {"status", response.status}, {"durationMs", absl::Now() - start}});
  }
}

Gateway::Outcome Gateway::Admit(const http::Request& request, const Match& match, LimitState& limits,
                                RequestContext& context, http::Response& response) const {
  if (auto problem = CheckRoute(match, response)) return {.problem = std::move(problem)};
  const absl::Status status = gateway::Admit(request, *match.route, verifier_, context);
  if (!status.ok()) return {.status = status};
  if (!conventions_.limits.TakeTenant(context.tenant, limits) ||
      (!context.user_id.empty() && !conventions_.limits.TakeToken(context.tenant, context.user_id, limits))) {
    return {.problem = Limited(limits)};
  }
  return {.problem = CheckMediaType(request, *match.route)};
}

void Gateway::Finish(const http::Request& request, const Match& match, const Outcome& outcome,
                     const LimitState& limits, const RequestContext& context,
                     http::Response& response) const {
  std::optional<Problem> problem = outcome.problem;
  if (!outcome.status.ok()) {
    problem = http::ProblemOf(outcome.status, outcome.refused_by, request);
    if (IsPreconditionFailed(request, outcome.status)) problem->status = 412;
  }
  if (problem) {
    response.body.clear();
    response.etag.clear();
    http::WriteProblem(*problem, request.path, context.trace.trace_id, response);
  }
  conventions_.cache.Apply(request, match.route, response);
  conventions_.limits.AddHeaders(limits, response);
}

async::Task<Gateway::Outcome> Gateway::Call(const http::Request& request, const Match& match,
                                            const RequestContext& context, http::Response& response) const {
  const Route& route = *match.route;
  google::protobuf::Arena arena;
  grpc::ByteBuffer request_bytes;
  const bool is_read = route.http_method == "GET";
  std::optional<FieldSelection> selection;
  const auto prepare = [&]() -> absl::Status {
    Message& message = *route.request->New(&arena);
    RETURN_IF_ERROR(ReadRequest(request, match, message));
    if (is_read) {
      RETURN_IF_ERROR(ReadSelection(request, route, selection));
    } else {
      RETURN_IF_ERROR(TakeExpectedVersion(request, route, message));
    }
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
    RETURN_IF_ERROR(WriteResponse(route, message, response));
    if (selection) selection->Apply(response.body);
    if (is_read || route.expected_version != nullptr)
      response.etag = EntityTag(route, message, response.body);
    if (is_read) RETURN_IF_ERROR(CheckSeen(request, response));
    if (response.status != 304) response.AddHeader("Content-Type", "application/json");
    return absl::OkStatus();
  };
  outcome.status = answer();
  co_return outcome;
}

async::Task<absl::Status> Gateway::HandOn(const http::Request& request, std::string_view client,
                                          const RequestContext& context, http::Response& response) const {
  // Whoever is behind believes these, so none of the client's own go on.
  http::Tunnels::Headers headers = {{"X-Forwarded-For", std::string(client)},
                                    {"X-Forwarded-Host", std::string(request.Find("Host"))},
                                    {"Forwarded", ""},
                                    {"traceparent", context.trace.ToTraceparent()},
                                    {"Correlation-Id", context.correlation_id}};
  co_return co_await tunnels_.Open(request, std::move(headers), response);
}

bool Gateway::AnswerHealth(const http::Request& request, http::Response& response) const {
  if (!IsHealth(request.path) || (request.method != "GET" && request.method != "HEAD")) return false;
  const bool alive = request.path == "/healthz";
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
