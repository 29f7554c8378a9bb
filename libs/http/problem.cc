#include "libs/http/problem.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdint>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/http/uri.h"
#include "libs/json/json.h"

namespace bv::http {
namespace {

constexpr absl::Duration kDefaultRetryAfter = absl::Seconds(1);

int HttpStatusOf(absl::StatusCode code, RefusedBy refused_by, const Request& request) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return refused_by == RefusedBy::kService && !request.body.empty() ? 422 : 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    default:
      return 500;
  }
}

void AppendMember(std::string_view name, std::string_view text, std::string& out) {
  out += ",\"";
  out += name;
  out += "\":";
  json::AppendString(text, out);
}

// "OUT_OF_STOCK" → "urn:bivouac:problem:out-of-stock".
std::string TypeOf(std::string_view code) {
  std::string type = Concat("urn:bivouac:problem:", code);
  absl::AsciiStrToLower(&type);
  std::ranges::replace(type, '_', '-');
  return type;
}

// A path may hold any bytes; JSON has UTF-8 only.
std::string Printable(std::string_view path) {
  std::string printable;
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x80) {
      printable += c;
    } else {
      AppendPercentEncoded({&c, 1}, printable);
    }
  }
  return printable;
}

}  // namespace

Problem ProblemOf(const absl::Status& status, RefusedBy refused_by, const Request& request) {
  const ErrorDetail error = GetErrorDetail(status);
  Problem problem{.status = HttpStatusOf(status.code(), refused_by, request),
                  .code = error.reason.empty() ? absl::StatusCodeToString(status.code()) : error.reason,
                  .detail = std::string(status.message()),
                  .field = error.field,
                  .retry_after = error.retry_after};
  if (problem.status == 500) {
    return {
        .status = 500, .code = "INTERNAL", .detail = "internal error; quote the traceId when you report it"};
  }
  if (problem.status == 503 && !problem.retry_after) problem.retry_after = kDefaultRetryAfter;
  return problem;
}

void WriteProblem(const Problem& problem, std::string_view instance, std::string_view trace_id,
                  Response& response) {
  response.status = problem.status;
  response.AddHeader("Content-Type", "application/problem+json");
  if (problem.status == 401) {
    response.AddHeader("WWW-Authenticate",
                       problem.code == "TOKEN_MISSING" ? "Bearer" : "Bearer error=\"invalid_token\"");
  }
  if (problem.retry_after) {
    const auto seconds =
        std::max<std::int64_t>(1, absl::ToInt64Seconds(absl::Ceil(*problem.retry_after, absl::Seconds(1))));
    response.AddHeader("Retry-After", absl::StrCat(seconds));
  }
  std::string& out = response.body;
  out = "{\"type\":";
  json::AppendString(TypeOf(problem.code), out);
  AppendMember("title", ReasonPhrase(problem.status), out);
  absl::StrAppend(&out, ",\"status\":", problem.status);
  AppendMember("detail", problem.field.empty() ? problem.detail : Concat(problem.field, ": ", problem.detail),
               out);
  if (!instance.empty()) AppendMember("instance", Printable(instance), out);
  AppendMember("code", problem.code, out);
  if (!problem.field.empty()) AppendMember("field", problem.field, out);
  if (!trace_id.empty()) AppendMember("traceId", trace_id, out);
  out += '}';
}

}  // namespace bv::http
