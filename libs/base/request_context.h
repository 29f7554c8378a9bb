// What every piece of work knows of the request it belongs to; passed along explicitly from the edge to the
// outbox row.
#pragma once

#include <absl/time/time.h>

#include <stop_token>
#include <string>

#include "libs/base/values.h"

namespace bv {

// An operator runs the fleet and belongs to no tenant; everybody else belongs to one.
enum class Role { kNone, kCustomer, kStaff, kAdmin, kService, kOperator };

// The W3C trace context of a request (https://www.w3.org/TR/trace-context/). All zero ids mean "none".
struct TraceContext {
  // 32 and 16 lower-case hexadecimal digits.
  std::string trace_id;
  std::string span_id;
  bool sampled = false;

  // "00-<trace id>-<span id>-01".
  std::string ToTraceparent() const;
};

struct RequestContext {
  // Empty for an operator, who sees no tenant's rows by it.
  TenantId tenant;
  // Empty for a caller without a token.
  std::string user_id;
  Role role = Role::kNone;
  TraceContext trace;
  std::string correlation_id;
  // Empty when the caller sent none.
  std::string idempotency_key;
  // The caller's token, to be passed on; never logged.
  std::string bearer_token;
  // No result is of use after this.
  absl::Time deadline = absl::InfiniteFuture();
  // Set when the caller has gone.
  std::stop_token stop;

  bool IsAbandoned() const { return stop.stop_requested() || absl::Now() >= deadline; }
};

}  // namespace bv
