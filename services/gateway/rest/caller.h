// Who calls, and with which headers: from HTTP to the request's context.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "libs/auth/auth.h"
#include "libs/base/request_context.h"
#include "libs/http/message.h"
#include "services/gateway/routing/route.h"

namespace bv::gateway {

// Takes `Correlation-Id` into the context and `X-Request-Id` into `request_id`; what is missing or unusable
// is the trace id. INVALID_ARGUMENT names one that is longer than 128 characters, not printable ASCII, or
// given twice.
absl::Status ReadRequestIds(const http::Request& request, RequestContext& context, std::string& request_id);

// Checks token, role, tenant and Idempotency-Key as the route's contract wants them, and fills in the
// context. The service checks all of it again; here it keeps strangers from costing more than this.
absl::Status Admit(const http::Request& request, const Route& route, auth::Verifier& verifier,
                   RequestContext& context);

}  // namespace bv::gateway
