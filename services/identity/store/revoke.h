#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/identity/domain/revocation.h"

namespace bv::identity {

// In the transaction of the caller, behind LockTenant, which has returned `change`: one token of the subject,
// or (empty) all that were issued until now, are good no more, and an event says so. Not OK when the event
// cannot be made. Throws what libpqxx throws.
absl::StatusOr<Revocation> Revoke(postgres::Session& session, const RequestContext& context,
                                  const std::string& subject, const std::string& token_id,
                                  absl::Duration lifetime_max, std::int64_t change);

}  // namespace bv::identity
