// Who wants to open a WebSocket, and whether they may.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

#include "libs/auth/auth.h"
#include "libs/base/request_context.h"
#include "libs/http/message.h"

namespace bv::notification {

// The one that this server speaks.
inline constexpr std::string_view kOrdersProtocol = "bivouac.orders.v1";

struct Caller {
  // With the token, for calls on the caller's behalf.
  RequestContext context;
  absl::Time expires_at;
  // kOrdersProtocol when the client offers it; else empty.
  std::string protocol;
};

// Checks Origin, token, tenant and role. The token is that of `Authorization`, of the subprotocol
// `bearer.<token>` or of the parameter `access_token`, the first that is there. PERMISSION_DENIED (reason
// ORIGIN_NOT_ALLOWED, TENANT_MISMATCH, ROLE_NOT_ALLOWED), UNAUTHENTICATED as auth::Verifier, or
// TOKEN_MISSING.
absl::StatusOr<Caller> Admit(const http::Request& request, const std::vector<std::string>& origins,
                             auth::Verifier& verifier);

}  // namespace bv::notification
