#include "services/notification/ws/handshake.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/http/uri.h"
#include "libs/telemetry/telemetry.h"
#include "services/notification/edge/client.h"

namespace bv::notification {
namespace {

constexpr std::string_view kBearerProtocol = "bearer.";

std::string_view Trim(std::string_view text) {
  return Std(absl::StripAsciiWhitespace(Absl(text)));
}

// Calls `use` with each element of a list with commas until it returns true.
template <class Use>
bool FindInList(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (use(Trim(list.substr(0, comma)))) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

// The subprotocols that are offered, in any number of headers.
template <class Use>
bool FindProtocol(const http::Request& request, Use use) {
  return std::ranges::any_of(request.headers, [&](const http::Header& header) {
    return http::IsSameName(header.name, "Sec-WebSocket-Protocol") && FindInList(header.value, use);
  });
}

absl::StatusOr<std::string> TokenOf(const http::Request& request) {
  if (request.Count("Authorization") > 1)
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_HEADER", "must be given once", "Authorization");
  if (const std::string_view header = request.Find("Authorization"); !header.empty()) {
    constexpr std::string_view kScheme = "bearer ";
    if (!absl::StartsWithIgnoreCase(Absl(header), Absl(kScheme)))
      return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MALFORMED",
                   "the header Authorization must be: Bearer <token>");
    return std::string(header.substr(kScheme.size()));
  }
  std::string token;
  const auto is_bearer = [&token](std::string_view protocol) {
    if (!protocol.starts_with(kBearerProtocol)) return false;
    token = protocol.substr(kBearerProtocol.size());
    return true;
  };
  if (FindProtocol(request, is_bearer)) return token;
  if (!http::FindParameter(request.query, "access_token", token)) {
    return Error(absl::StatusCode::kInvalidArgument, "MALFORMED_QUERY",
                 "a '%' must be followed by two hexadecimal digits");
  }
  return token;
}

// The caller's own, where it can be passed on; else the trace's.
std::string CorrelationIdOf(const http::Request& request, const TraceContext& trace) {
  constexpr std::size_t kBytesMax = 128;
  const std::string_view id = request.Find("Correlation-Id");
  const bool is_usable = !id.empty() && id.size() <= kBytesMax &&
                         std::ranges::all_of(id, [](char c) { return c >= ' ' && c <= '~'; });
  return is_usable ? std::string(id) : trace.trace_id;
}

}  // namespace

absl::StatusOr<Caller> Admit(const http::Request& request, const std::vector<std::string>& origins,
                             auth::Verifier& verifier) {
  if (!IsOriginAllowed(request, origins)) {
    return Error(absl::StatusCode::kPermissionDenied, "ORIGIN_NOT_ALLOWED",
                 "pages of this origin may not connect", "Origin");
  }
  ASSIGN_OR_RETURN(std::string token, TokenOf(request));
  if (token.empty()) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MISSING",
                 Concat("send the header Authorization: Bearer <token>, offer the subprotocol ",
                        kBearerProtocol, "<token>, or give the parameter access_token"));
  }
  ASSIGN_OR_RETURN(auth::Claims claims, verifier.Verify(token));
  if (claims.role == Role::kOperator || claims.role == Role::kNone) {
    return Error(absl::StatusCode::kPermissionDenied, "ROLE_NOT_ALLOWED",
                 Concat("the role ", auth::RoleName(claims.role), " sees no orders"));
  }
  const std::string_view tenant = request.Find("X-Tenant-Id");
  if (!tenant.empty() && tenant != claims.tenant.str()) {
    return Error(absl::StatusCode::kPermissionDenied, "TENANT_MISMATCH",
                 "the token belongs to another tenant", "X-Tenant-Id");
  }
  const bool speaks_ours =
      FindProtocol(request, [](std::string_view protocol) { return protocol == kOrdersProtocol; });
  TraceContext trace = telemetry::ParseTraceparent(request.Find("traceparent"));
  std::string correlation_id = CorrelationIdOf(request, trace);
  return Caller{.context = {.tenant = std::move(claims.tenant),
                            .user_id = std::move(claims.user_id),
                            .role = claims.role,
                            .trace = std::move(trace),
                            .correlation_id = std::move(correlation_id),
                            .bearer_token = std::move(token)},
                .expires_at = claims.expires_at,
                .protocol = std::string(speaks_ours ? kOrdersProtocol : std::string_view())};
}

}  // namespace bv::notification
