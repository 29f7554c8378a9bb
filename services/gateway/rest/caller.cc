#include "services/gateway/rest/caller.h"

#include <absl/strings/match.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::gateway {
namespace {

constexpr std::size_t kRequestIdMax = 128;
constexpr std::size_t kIdempotencyKeyMax = 255;

// The value of a header that may be given once; empty when it is not. INVALID_ARGUMENT, reason
// INVALID_HEADER.
absl::StatusOr<std::string_view> SingleHeader(const http::Request& request, std::string_view name,
                                              std::size_t max) {
  const std::string_view value = request.Find(name);
  if (value.empty()) return value;
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  if (request.Count(name) > 1 || value.size() > max || !printable) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_HEADER",
                 Concat("must be given once, with at most ", max, " printable ASCII characters"), name);
  }
  return value;
}

// Two of them could be read differently here and in a service.
absl::StatusOr<std::string_view> BearerToken(const http::Request& request) {
  if (request.Count("Authorization") > 1) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_HEADER", "must be given once", "Authorization");
  }
  const std::string_view value = request.Find("Authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (value.empty()) return value;
  if (!absl::StartsWithIgnoreCase(Absl(value), Absl(kScheme))) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MALFORMED",
                 "the header Authorization must be: Bearer <token>");
  }
  return value.substr(kScheme.size());
}

absl::Status ReadIdempotencyKey(const http::Request& request, const Route& route, RequestContext& context) {
  if (route.idempotency_key == commerce::common::v1::IDEMPOTENCY_KEY_UNSPECIFIED) return absl::OkStatus();
  ASSIGN_OR_RETURN(context.idempotency_key, SingleHeader(request, "Idempotency-Key", kIdempotencyKeyMax));
  if (context.idempotency_key.empty() &&
      route.idempotency_key == commerce::common::v1::IDEMPOTENCY_KEY_REQUIRED) {
    return Error(absl::StatusCode::kInvalidArgument, "IDEMPOTENCY_KEY_MISSING",
                 "send the header Idempotency-Key", "Idempotency-Key");
  }
  return absl::OkStatus();
}

absl::Status CheckRole(const Route& route, Role role) {
  // What is public is so within a tenant, and an operator has none.
  if (route.roles.contains(role) || (route.is_public && role != Role::kOperator)) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "ROLE_NOT_ALLOWED",
               Concat("the role ", auth::RoleName(role), " may not call ", route.method->name()));
}

}  // namespace

absl::Status ReadRequestIds(const http::Request& request, RequestContext& context, std::string& request_id) {
  request_id = context.trace.trace_id;
  context.correlation_id = context.trace.trace_id;
  ASSIGN_OR_RETURN(const std::string_view sent_request_id,
                   SingleHeader(request, "X-Request-Id", kRequestIdMax));
  if (!sent_request_id.empty()) request_id = sent_request_id;
  ASSIGN_OR_RETURN(const std::string_view correlation_id,
                   SingleHeader(request, "Correlation-Id", kRequestIdMax));
  context.correlation_id = correlation_id.empty() ? request_id : correlation_id;
  return absl::OkStatus();
}

absl::Status Admit(const http::Request& request, const Route& route, auth::Verifier& verifier,
                   RequestContext& context) {
  ASSIGN_OR_RETURN(const std::string_view tenant, SingleHeader(request, "X-Tenant-Id", kRequestIdMax));
  ASSIGN_OR_RETURN(const std::string_view token, BearerToken(request));
  if (!token.empty()) {
    ASSIGN_OR_RETURN(auth::Claims claims, verifier.Verify(token));
    if (!tenant.empty() && tenant != claims.tenant.str()) {
      return Error(absl::StatusCode::kPermissionDenied, "TENANT_MISMATCH",
                   "the token belongs to another tenant", "X-Tenant-Id");
    }
    context.user_id = std::move(claims.user_id);
    context.tenant = std::move(claims.tenant);
    context.role = claims.role;
    context.bearer_token = token;
  } else if (!route.is_public) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MISSING",
                 "send the header Authorization: Bearer <token>");
  } else if (tenant.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "TENANT_MISSING",
                 "without a token, name the tenant in this header", "X-Tenant-Id");
  } else {
    ASSIGN_OR_RETURN(context.tenant, TenantId::Parse(tenant, "X-Tenant-Id"));
  }
  RETURN_IF_ERROR(CheckRole(route, context.role));
  return ReadIdempotencyKey(request, route, context);
}

}  // namespace bv::gateway
