#include "services/identity/rpc/staff_rpc.h"

#include "libs/base/digest.h"
#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"
#include "services/identity/rpc/page.h"
#include "services/identity/store/new_code.h"
#include "services/identity/store/staff_rows.h"

namespace bv::identity {
namespace {

constexpr std::size_t kCodeMax = 100;

template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

}  // namespace

StaffRpc::StaffRpc(postgres::Pool& pool, const StaffLimits& limits)
    : pool_(pool),
      limits_(limits),
      invited_(telemetry::Counter("identity_invitations_total", "Invitations that were made.")),
      deactivated_(telemetry::Counter("identity_deactivations_total", "Calls that deactivate an account.")),
      unknown_codes_(
          telemetry::Counter("identity_unknown_codes_total", "Codes of invitations that there are not.")) {}

void StaffRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.identity.v1.StaffAccounts";
  server.Handle(service, "InviteStaff", *this, &StaffRpc::InviteStaff);
  server.Handle(service, "AcceptInvitation", *this, &StaffRpc::AcceptInvitation);
  server.Handle(service, "GetStaff", *this, &StaffRpc::GetStaff);
  server.Handle(service, "ListStaff", *this, &StaffRpc::ListStaff);
  server.Handle(service, "SetGrants", *this, &StaffRpc::SetGrants);
  server.Handle(service, "DeactivateStaff", *this, &StaffRpc::DeactivateStaff);
  server.Handle(service, "ReactivateStaff", *this, &StaffRpc::ReactivateStaff);
}

rpc::Reply<pb::StaffMember> StaffRpc::InviteStaff(rpc::Call<pb::InviteStaffRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Email email, EmailFromProto(call.request().email()));
  CO_ASSIGN_OR_RETURN(const std::vector<Grant> grants, FromProto(call.request().grants()));
  const std::string code = NewInvitationCode();
  Work<Staff> invite = [&](postgres::Session& session) {
    return Invite(session, context, email, grants, Sha256Hex(code), limits_);
  };
  CO_ASSIGN_OR_RETURN(const Staff staff, co_await pool_.Transact<Staff>(context, std::move(invite)));
  invited_.Increment();
  pb::StaffMember response = ToProto(staff);
  response.set_invitation_code(code);
  co_return response;
}

rpc::Reply<pb::StaffMember> StaffRpc::AcceptInvitation(rpc::Call<pb::AcceptInvitationRequest> call) {
  const RequestContext& context = call.context();
  CO_RETURN_IF_ERROR(CheckText(call.request().code(), 1, kCodeMax, "code"));
  Work<Staff> accept = [&](postgres::Session& session) {
    return identity::AcceptInvitation(session, context, Sha256Hex(call.request().code()));
  };
  const absl::StatusOr<Staff> staff = co_await pool_.Transact<Staff>(context, std::move(accept));
  if (staff.status().code() == absl::StatusCode::kNotFound) unknown_codes_.Increment();
  CO_RETURN_IF_ERROR(staff.status());
  co_return ToProto(*staff);
}

rpc::Reply<pb::StaffMember> StaffRpc::GetStaff(rpc::Call<pb::GetStaffRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const StaffId id, StaffIdFromProto(call.request().staff_id()));
  Work<Staff> read = [&](postgres::Session& session) -> absl::StatusOr<Staff> {
    std::optional<Staff> staff = ReadStaff(session, context.tenant, id);
    if (!staff) return StaffNotFound();
    return *std::move(staff);
  };
  CO_ASSIGN_OR_RETURN(const Staff staff, co_await pool_.Read<Staff>(context, std::move(read)));
  co_return ToProto(staff);
}

rpc::Reply<pb::ListStaffResponse> StaffRpc::ListStaff(rpc::Call<pb::ListStaffRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const std::optional<StaffStatus> status, FromProto(call.request().status()));
  CO_ASSIGN_OR_RETURN(const int page_size, PageSize(call.request().page_size()));
  CO_ASSIGN_OR_RETURN(const StaffId after, StaffBefore(call.request().page_token()));
  using Accounts = std::vector<Staff>;
  // One more tells whether there is a next page.
  Work<Accounts> list = [&](postgres::Session& session) -> absl::StatusOr<Accounts> {
    return identity::ListStaff(session, context.tenant, status, after, page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(Accounts found, co_await pool_.Read<Accounts>(context, std::move(list)));
  pb::ListStaffResponse response;
  if (found.size() > static_cast<std::size_t>(page_size)) {
    found.pop_back();
    response.set_next_page_token(TokenOf(found.back().id));
  }
  for (const Staff& staff : found) *response.add_staff() = ToProto(staff);
  co_return response;
}

rpc::Reply<pb::StaffMember> StaffRpc::SetGrants(rpc::Call<pb::SetGrantsRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const StaffId id, StaffIdFromProto(call.request().staff_id()));
  CO_ASSIGN_OR_RETURN(const std::vector<Grant> grants, FromProto(call.request().grants()));
  std::optional<std::int64_t> expected_version;
  if (call.request().has_expected_version()) expected_version = call.request().expected_version();
  Work<Staff> change = [&](postgres::Session& session) {
    return ReplaceGrants(session, context, id, grants, expected_version);
  };
  CO_ASSIGN_OR_RETURN(const Staff staff, co_await pool_.Transact<Staff>(context, std::move(change)));
  co_return ToProto(staff);
}

rpc::Reply<pb::StaffMember> StaffRpc::DeactivateStaff(rpc::Call<pb::DeactivateStaffRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const StaffId id, StaffIdFromProto(call.request().staff_id()));
  Work<Staff> deactivate = [&](postgres::Session& session) {
    return identity::DeactivateStaff(session, context, id, limits_);
  };
  CO_ASSIGN_OR_RETURN(const Staff staff, co_await pool_.Transact<Staff>(context, std::move(deactivate)));
  deactivated_.Increment();
  co_return ToProto(staff);
}

rpc::Reply<pb::StaffMember> StaffRpc::ReactivateStaff(rpc::Call<pb::ReactivateStaffRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const StaffId id, StaffIdFromProto(call.request().staff_id()));
  Work<Staff> reactivate = [&](postgres::Session& session) {
    return identity::ReactivateStaff(session, context, id, limits_);
  };
  CO_ASSIGN_OR_RETURN(const Staff staff, co_await pool_.Transact<Staff>(context, std::move(reactivate)));
  co_return ToProto(staff);
}

}  // namespace bv::identity
