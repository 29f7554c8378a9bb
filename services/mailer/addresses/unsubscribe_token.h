// The token in a mail's link to unsubscribe: says which address of which tenant, and nobody can make one for
// another.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "libs/base/values.h"
#include "libs/config/config.h"

namespace bv::mailer {

// URL-safe. It holds for as long as the secret does: mails are read late.
std::string MakeUnsubscribeToken(const config::Secret& secret, const TenantId& tenant,
                                 std::string_view address_hash);

// The address' hash. INVALID_ARGUMENT, reason TOKEN_INVALID, also for a token of another tenant.
absl::StatusOr<std::string> ReadUnsubscribeToken(const config::Secret& secret, const TenantId& tenant,
                                                 std::string_view token);

}  // namespace bv::mailer
