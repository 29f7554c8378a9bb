#include "services/identity/events/identity_events.h"

#include "libs/rpc/timestamp.h"

namespace bv::identity {

pb::StaffStatus ToProto(StaffStatus status) {
  switch (status) {
    case StaffStatus::kInvited:
      return pb::STAFF_STATUS_INVITED;
    case StaffStatus::kActive:
      return pb::STAFF_STATUS_ACTIVE;
    case StaffStatus::kDeactivated:
      return pb::STAFF_STATUS_DEACTIVATED;
  }
  return pb::STAFF_STATUS_UNSPECIFIED;
}

pb::Grant ToProto(const Grant& grant) {
  pb::Grant result;
  result.set_store_code(grant.store);
  for (const std::string& permission : grant.permissions) result.add_permissions(permission);
  return result;
}

absl::StatusOr<events::OutboxRow> RevokedEvent(const Revocation& revocation, std::int64_t change,
                                               const RequestContext& context) {
  pb::AccessRevoked payload;
  payload.set_subject(revocation.subject);
  payload.set_token_id(revocation.token_id);
  *payload.mutable_issued_until() = rpc::ToTimestamp(revocation.issued_until);
  *payload.mutable_forget_after() = rpc::ToTimestamp(revocation.forget_after);
  return events::MakeRow(payload, change, revocation.issued_until, context);
}

absl::StatusOr<events::OutboxRow> StaffEvent(const Staff& staff, const RequestContext& context) {
  pb::StaffChanged payload;
  payload.set_user_id(staff.user_id);
  payload.set_status(ToProto(staff.status));
  for (const Grant& grant : staff.grants) *payload.add_grants() = ToProto(grant);
  payload.set_version(staff.version);
  return events::MakeRow(payload, staff.version, staff.updated_at, context);
}

}  // namespace bv::identity
