// protobuf ↔ domain, with the names of the API in the errors.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "commerce/cart/v1/service.pb.h"
#include "libs/base/request_context.h"
#include "services/cart/domain/cart.h"
#include "services/cart/domain/pricing.h"

namespace bv::cart {

// The caller of a request that may name a session. INVALID_ARGUMENT for a session id that cannot be one.
absl::StatusOr<Caller> CallerOf(const RequestContext& context, const std::string& session_id);

// What is stored and compared instead of the secret.
std::string HashOf(const SessionId& session_id);

commerce::cart::v1::Cart ToProto(const PricedCart& priced, const TenantId& tenant);

}  // namespace bv::cart
