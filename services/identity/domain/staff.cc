#include "services/identity/domain/staff.h"

#include <algorithm>
#include <array>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::identity {
namespace {

constexpr std::array<std::string_view, 3> kStatusWords = {"INVITED", "ACTIVE", "DEACTIVATED"};

}  // namespace

std::string_view Word(StaffStatus status) {
  return kStatusWords[static_cast<std::size_t>(status)];
}

std::optional<StaffStatus> StatusOf(std::string_view word) {
  const auto found = std::ranges::find(kStatusWords, word);
  if (found == kStatusWords.end()) return std::nullopt;
  return static_cast<StaffStatus>(found - kStatusWords.begin());
}

absl::StatusOr<bool> InviteAgain(Staff& staff, Invitation invitation, std::vector<Grant> grants) {
  if (!staff.user_id.empty()) {
    return Error(absl::StatusCode::kAlreadyExists, "STAFF_EXISTS",
                 "there is an account under this address; change its grants, or reactivate it", "email");
  }
  staff.status = StaffStatus::kInvited;
  staff.invitation = std::move(invitation);
  staff.grants = std::move(grants);
  return true;
}

absl::StatusOr<bool> Accept(Staff& staff, const std::string& user_id, absl::Time now) {
  if (staff.user_id == user_id) return false;
  if (!staff.user_id.empty())
    return Error(absl::StatusCode::kFailedPrecondition, "INVITATION_USED", "the invitation has been used");
  if (!staff.invitation || staff.invitation->until <= now)
    return Error(absl::StatusCode::kFailedPrecondition, "INVITATION_EXPIRED", "the invitation has expired");
  staff.user_id = user_id;
  staff.status = StaffStatus::kActive;
  return true;
}

absl::StatusOr<bool> SetGrants(Staff& staff, std::vector<Grant> grants,
                               std::optional<std::int64_t> expected_version) {
  if (expected_version && *expected_version != staff.version) {
    return Error(absl::StatusCode::kAborted, "VERSION_CONFLICT",
                 Concat("the account is at version ", staff.version, "; read it again and repeat the change"),
                 "expectedVersion");
  }
  if (staff.grants == grants) return false;
  staff.grants = std::move(grants);
  return true;
}

absl::StatusOr<bool> Deactivate(Staff& staff) {
  if (staff.status == StaffStatus::kDeactivated) return false;
  staff.status = StaffStatus::kDeactivated;
  staff.invitation.reset();
  return true;
}

absl::StatusOr<bool> Reactivate(Staff& staff) {
  if (staff.status == StaffStatus::kActive) return false;
  if (staff.user_id.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "INVITATION_OPEN",
                 "nobody has accepted the invitation; invite again");
  }
  staff.status = StaffStatus::kActive;
  return true;
}

}  // namespace bv::identity
