#include "services/identity/store/change_staff.h"

#include <algorithm>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/store.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "services/identity/events/identity_events.h"
#include "services/identity/store/record.h"
#include "services/identity/store/revoke.h"
#include "services/identity/store/staff_rows.h"
#include "services/identity/store/store_rows.h"
#include "services/identity/store/tenant_row.h"

namespace bv::identity {
namespace {

bool Has(const std::vector<std::string>& stores, const std::string& store) {
  return std::ranges::find(stores, store) != stores.end();
}

// `before` are grants that may stay, though their store was closed meanwhile.
absl::Status CheckStores(postgres::Session& session, const TenantId& tenant, const std::vector<Grant>& grants,
                         const std::vector<Grant>& before) {
  std::vector<std::string> known = {std::string(kEveryStore), std::string(kDefaultStore)};
  for (const Grant& grant : before) known.push_back(grant.store);
  std::vector<std::string> asked;
  for (const Grant& grant : grants) asked.push_back(grant.store);
  for (std::string& store : OpenStores(session, tenant, asked)) known.push_back(std::move(store));
  for (std::size_t i = 0; i < grants.size(); ++i) {
    if (Has(known, grants[i].store)) continue;
    return Error(absl::StatusCode::kInvalidArgument, "STORE_UNKNOWN",
                 Concat("there is no open store ", grants[i].store), Concat("grants[", i, "].storeCode"));
  }
  return absl::OkStatus();
}

// As rows come back, so that the same grants are found to be the same.
std::vector<Grant> InOrder(std::vector<Grant> grants) {
  for (Grant& grant : grants) std::ranges::sort(grant.permissions);
  std::ranges::sort(grants, {}, &Grant::store);
  return grants;
}

absl::Status CheckRoom(postgres::Session& session, const TenantId& tenant, const StaffLimits& limits) {
  if (CountStaff(session, tenant) < limits.accounts_max) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "STAFF_FULL",
               Concat("a tenant may have ", limits.accounts_max,
                      " accounts that are not deactivated; deactivate one first"));
}

// `before` is absent for a new one.
absl::Status Announce(postgres::Session& session, const RequestContext& context, const std::string& action,
                      const std::optional<Staff>& before, const Staff& after) {
  // Of somebody without a user nobody can make use.
  if (!after.user_id.empty()) {
    ASSIGN_OR_RETURN(const events::OutboxRow event, StaffEvent(after, context));
    events::InsertOutbox(session, {event});
  }
  RETURN_IF_ERROR(RecordStaff(session, context, action, before, after));
  CrashPoint("identity.staff.written");
  session.OnCommit([] { CrashPoint("identity.staff.committed"); });
  return absl::OkStatus();
}

// Makes a change, unless it says that there is nothing to change.
absl::StatusOr<Staff> Change(postgres::Session& session, const RequestContext& context,
                             const std::string& action, const Staff& before,
                             const std::function<absl::StatusOr<bool>(Staff&)>& change) {
  Staff staff = before;
  ASSIGN_OR_RETURN(const bool changed, change(staff));
  if (!changed) return staff;
  UpdateStaff(session, context.tenant, staff);
  RETURN_IF_ERROR(Announce(session, context, action, before, staff));
  return staff;
}

absl::StatusOr<Staff> Find(postgres::Session& session, const TenantId& tenant, const StaffId& id) {
  std::optional<Staff> staff = ReadStaff(session, tenant, id);
  if (!staff) return StaffNotFound();
  return *std::move(staff);
}

}  // namespace

absl::Status StaffNotFound() {
  return NotFound("STAFF_NOT_FOUND", "there is no such account");
}

absl::StatusOr<Staff> Invite(postgres::Session& session, const RequestContext& context, const Email& email,
                             std::vector<Grant> grants, const std::string& code_hash,
                             const StaffLimits& limits) {
  LockTenant(session, context.tenant);
  RETURN_IF_ERROR(CheckStores(session, context.tenant, grants, {}));
  Invitation invitation{.code_hash = code_hash,
                        .until = session.transaction_time() + limits.invitation_lifetime};
  std::optional<Staff> there = FindStaffByEmail(session, context.tenant, email);
  if (!there || there->status == StaffStatus::kDeactivated) {
    // Whoever has an account is told so, also when there is no room.
    if (!there || there->user_id.empty()) RETURN_IF_ERROR(CheckRoom(session, context.tenant, limits));
  }
  grants = InOrder(std::move(grants));
  if (there) {
    return Change(session, context, "staff.invited", *there,
                  [&](Staff& staff) { return InviteAgain(staff, invitation, grants); });
  }
  Staff staff;
  staff.id = StaffId::New();
  staff.email = email;
  staff.grants = std::move(grants);
  staff.invitation = std::move(invitation);
  InsertStaff(session, context.tenant, staff);
  RETURN_IF_ERROR(Announce(session, context, "staff.invited", std::nullopt, staff));
  return staff;
}

absl::StatusOr<Staff> AcceptInvitation(postgres::Session& session, const RequestContext& context,
                                       const std::string& code_hash) {
  LockTenant(session, context.tenant);
  const std::optional<Staff> staff = FindStaffByCode(session, context.tenant, code_hash);
  if (!staff) return NotFound("INVITATION_NOT_FOUND", "there is no such invitation");
  const std::optional<Staff> own = FindStaffByUser(session, context.tenant, context.user_id);
  if (own && own->id != staff->id)
    return Error(absl::StatusCode::kFailedPrecondition, "USER_HAS_ACCOUNT", "you have another account");
  return Change(session, context, "staff.accepted", *staff,
                [&](Staff& changed) { return Accept(changed, context.user_id, session.transaction_time()); });
}

absl::StatusOr<Staff> ReplaceGrants(postgres::Session& session, const RequestContext& context,
                                    const StaffId& id, std::vector<Grant> grants,
                                    std::optional<std::int64_t> expected_version) {
  LockTenant(session, context.tenant);
  ASSIGN_OR_RETURN(const Staff staff, Find(session, context.tenant, id));
  RETURN_IF_ERROR(CheckStores(session, context.tenant, grants, staff.grants));
  return Change(session, context, "staff.grants_set", staff, [&](Staff& changed) {
    return SetGrants(changed, InOrder(std::move(grants)), expected_version);
  });
}

absl::StatusOr<Staff> DeactivateStaff(postgres::Session& session, const RequestContext& context,
                                      const StaffId& id, const StaffLimits& limits) {
  const std::int64_t number = LockTenant(session, context.tenant);
  ASSIGN_OR_RETURN(const Staff staff, Find(session, context.tenant, id));
  return Change(session, context, "staff.deactivated", staff, [&](Staff& changed) -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const bool active, Deactivate(changed));
    if (!active || changed.user_id.empty()) return active;
    RETURN_IF_ERROR(
        Revoke(session, context, changed.user_id, "", limits.token_lifetime_max, number).status());
    return true;
  });
}

absl::StatusOr<Staff> ReactivateStaff(postgres::Session& session, const RequestContext& context,
                                      const StaffId& id, const StaffLimits& limits) {
  LockTenant(session, context.tenant);
  ASSIGN_OR_RETURN(const Staff staff, Find(session, context.tenant, id));
  return Change(session, context, "staff.reactivated", staff, [&](Staff& changed) -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const bool inactive, Reactivate(changed));
    if (inactive) RETURN_IF_ERROR(CheckRoom(session, context.tenant, limits));
    return inactive;
  });
}

}  // namespace bv::identity
