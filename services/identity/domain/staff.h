// An account of somebody who works for a tenant: invited, active or deactivated. What may become of it,
// without any database.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/values.h"
#include "services/identity/domain/grant.h"

namespace bv::identity {

BV_DEFINE_ID(StaffId, "stf");

enum class StaffStatus { kInvited, kActive, kDeactivated };
// "INVITED"
std::string_view Word(StaffStatus status);
std::optional<StaffStatus> StatusOf(std::string_view word);

// A code that was handed to somebody, known by its hash only.
struct Invitation {
  // SHA-256, hexadecimal.
  std::string code_hash;
  absl::Time until;
};

struct Staff {
  StaffId id;
  // Lower case.
  Email email;
  // Who has accepted; empty until then.
  std::string user_id;
  StaffStatus status = StaffStatus::kInvited;
  std::vector<Grant> grants;
  // Of an INVITED account, and of an ACTIVE one that came of it.
  std::optional<Invitation> invitation;
  std::int64_t version = 1;
  absl::Time created_at;
  absl::Time updated_at;
};

// Each changes the account, but not its version, and says whether it was changed: not when it is so already.

// Another code and other grants for one that nobody has accepted. ALREADY_EXISTS, reason STAFF_EXISTS.
absl::StatusOr<bool> InviteAgain(Staff& staff, Invitation invitation, std::vector<Grant> grants);
// By the user who has the code. FAILED_PRECONDITION, reasons INVITATION_USED and INVITATION_EXPIRED.
absl::StatusOr<bool> Accept(Staff& staff, const std::string& user_id, absl::Time now);
// ABORTED, reason VERSION_CONFLICT, unless the account is at `expected_version`, when one is given.
absl::StatusOr<bool> SetGrants(Staff& staff, std::vector<Grant> grants,
                               std::optional<std::int64_t> expected_version);
absl::StatusOr<bool> Deactivate(Staff& staff);
// FAILED_PRECONDITION, reason INVITATION_OPEN, for one that nobody has accepted.
absl::StatusOr<bool> Reactivate(Staff& staff);

}  // namespace bv::identity
