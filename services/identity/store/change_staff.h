// Changes of accounts with what belongs to them: grants of stores that there are, the limit of the tenant,
// the event. Each runs in the caller's transaction and throws what libpqxx throws.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <string>
#include <vector>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/identity/domain/staff.h"

namespace bv::identity {

struct StaffLimits {
  // Accounts of a tenant that are not DEACTIVATED.
  int accounts_max = 0;
  absl::Duration invitation_lifetime;
  // No token lives longer.
  absl::Duration token_lifetime_max;
};

// NOT_FOUND, reason STAFF_NOT_FOUND.
absl::Status StaffNotFound();

// Makes an account for the address, or invites it again. ALREADY_EXISTS, reason STAFF_EXISTS;
// FAILED_PRECONDITION, reason STAFF_FULL; INVALID_ARGUMENT, reason STORE_UNKNOWN.
absl::StatusOr<Staff> Invite(postgres::Session& session, const RequestContext& context, const Email& email,
                             std::vector<Grant> grants, const std::string& code_hash,
                             const StaffLimits& limits);

// The account becomes the caller's. NOT_FOUND, reason INVITATION_NOT_FOUND; FAILED_PRECONDITION, reasons
// INVITATION_EXPIRED, INVITATION_USED and USER_HAS_ACCOUNT.
absl::StatusOr<Staff> AcceptInvitation(postgres::Session& session, const RequestContext& context,
                                       const std::string& code_hash);

// STAFF_NOT_FOUND, STORE_UNKNOWN; ABORTED, reason VERSION_CONFLICT.
absl::StatusOr<Staff> ReplaceGrants(postgres::Session& session, const RequestContext& context,
                                    const StaffId& id, std::vector<Grant> grants,
                                    std::optional<std::int64_t> expected_version);

// All tokens of its user are revoked. STAFF_NOT_FOUND.
absl::StatusOr<Staff> DeactivateStaff(postgres::Session& session, const RequestContext& context,
                                      const StaffId& id, const StaffLimits& limits);

// STAFF_NOT_FOUND, STAFF_FULL; FAILED_PRECONDITION, reason INVITATION_OPEN.
absl::StatusOr<Staff> ReactivateStaff(postgres::Session& session, const RequestContext& context,
                                      const StaffId& id, const StaffLimits& limits);

}  // namespace bv::identity
