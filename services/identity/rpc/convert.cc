#include "services/identity/rpc/convert.h"

#include <absl/strings/ascii.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/money.h"
#include "libs/base/strings.h"
#include "libs/rpc/timestamp.h"
#include "services/identity/store/change_staff.h"

namespace bv::identity {
namespace {

// Of `sub` and `jti`.
constexpr std::size_t kClaimMax = 128;
constexpr std::size_t kNameMax = 100;

}  // namespace

absl::Status CheckRequest(const pb::RevokeTokensRequest& request) {
  RETURN_IF_ERROR(CheckText(request.subject(), 1, kClaimMax, "subject"));
  return CheckText(request.token_id(), 0, kClaimMax, "tokenId");
}

absl::Status CheckRequest(const pb::ListRevocationsRequest& request) {
  return CheckText(request.subject(), 0, kClaimMax, "subject");
}

absl::StatusOr<StaffId> StaffIdFromProto(const std::string& text) {
  absl::StatusOr<StaffId> id = StaffId::Parse(text);
  if (!id.ok()) return StaffNotFound();
  return id;
}

absl::StatusOr<Email> EmailFromProto(const std::string& text) {
  return Email::Parse(absl::AsciiStrToLower(text));
}

absl::StatusOr<std::vector<Grant>> FromProto(const google::protobuf::RepeatedPtrField<pb::Grant>& grants) {
  std::vector<Grant> result;
  for (const pb::Grant& grant : grants) {
    result.push_back({.store = grant.store_code(),
                      .permissions = {grant.permissions().begin(), grant.permissions().end()}});
  }
  RETURN_IF_ERROR(CheckGrants(result));
  return result;
}

absl::StatusOr<std::optional<StaffStatus>> FromProto(pb::StaffStatus status) {
  switch (status) {
    case pb::STAFF_STATUS_UNSPECIFIED:
      return std::nullopt;
    case pb::STAFF_STATUS_INVITED:
      return StaffStatus::kInvited;
    case pb::STAFF_STATUS_ACTIVE:
      return StaffStatus::kActive;
    case pb::STAFF_STATUS_DEACTIVATED:
      return StaffStatus::kDeactivated;
    default:
      return InvalidValue("status", "must be INVITED, ACTIVE or DEACTIVATED");
  }
}

absl::StatusOr<Store> FromProto(const pb::CreateStoreRequest& request) {
  Store store;
  ASSIGN_OR_RETURN(store.code, StoreCode::Parse(request.store_code()));
  RETURN_IF_ERROR(CheckText(request.name(), 1, kNameMax, "name"));
  store.name = request.name();
  if (!request.currency().empty()) RETURN_IF_ERROR(Currency::Parse(request.currency()).status());
  store.currency = request.currency();
  ASSIGN_OR_RETURN(store.default_country, CountryCode::Parse(request.default_country(), "defaultCountry"));
  return store;
}

pb::Revocation ToProto(const Revocation& revocation) {
  pb::Revocation result;
  result.set_subject(revocation.subject);
  result.set_token_id(revocation.token_id);
  *result.mutable_issued_until() = rpc::ToTimestamp(revocation.issued_until);
  *result.mutable_forget_after() = rpc::ToTimestamp(revocation.forget_after);
  result.set_revoked_by(revocation.revoked_by);
  return result;
}

pb::StaffMember ToProto(const Staff& staff) {
  pb::StaffMember result;
  result.set_staff_id(staff.id.str());
  result.set_email(staff.email.str());
  result.set_status(ToProto(staff.status));
  result.set_user_id(staff.user_id);
  for (const Grant& grant : staff.grants) *result.add_grants() = ToProto(grant);
  result.set_version(staff.version);
  *result.mutable_created_at() = rpc::ToTimestamp(staff.created_at);
  *result.mutable_updated_at() = rpc::ToTimestamp(staff.updated_at);
  if (staff.status == StaffStatus::kInvited && staff.invitation)
    *result.mutable_invited_until() = rpc::ToTimestamp(staff.invitation->until);
  return result;
}

pb::Store ToProto(const Store& store) {
  pb::Store result;
  result.set_store_code(store.code.str());
  result.set_name(store.name);
  result.set_currency(store.currency);
  result.set_default_country(store.default_country.str());
  result.set_status(store.closed_at ? pb::STORE_STATUS_CLOSED : pb::STORE_STATUS_OPEN);
  *result.mutable_created_at() = rpc::ToTimestamp(store.created_at);
  if (store.closed_at) *result.mutable_closed_at() = rpc::ToTimestamp(*store.closed_at);
  return result;
}

}  // namespace bv::identity
