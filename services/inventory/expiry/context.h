#pragma once

#include <absl/time/clock.h>

#include <stop_token>

#include "libs/base/request_context.h"
#include "libs/telemetry/telemetry.h"

namespace bv::inventory {

// In whose name the jobs of this service work.
inline RequestContext JobContext(const TenantId& tenant, std::stop_token stop) {
  RequestContext context;
  context.tenant = tenant;
  context.user_id = "inventory-service";
  context.role = Role::kService;
  context.trace = telemetry::ParseTraceparent({});
  context.correlation_id = context.trace.trace_id;
  context.deadline = absl::Now() + absl::Seconds(30);
  context.stop = std::move(stop);
  return context;
}

}  // namespace bv::inventory
