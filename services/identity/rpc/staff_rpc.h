// The service commerce.identity.v1.StaffAccounts.
#pragma once

#include <prometheus/counter.h>

#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/identity/rpc/convert.h"
#include "services/identity/store/change_staff.h"

namespace bv::identity {

class StaffRpc {
 public:
  // The pool outlives it.
  StaffRpc(postgres::Pool& pool, const StaffLimits& limits);

  void Serve(rpc::Server& server);

  rpc::Reply<pb::StaffMember> InviteStaff(rpc::Call<pb::InviteStaffRequest> call);
  rpc::Reply<pb::StaffMember> AcceptInvitation(rpc::Call<pb::AcceptInvitationRequest> call);
  rpc::Reply<pb::StaffMember> GetStaff(rpc::Call<pb::GetStaffRequest> call);
  rpc::Reply<pb::ListStaffResponse> ListStaff(rpc::Call<pb::ListStaffRequest> call);
  rpc::Reply<pb::StaffMember> SetGrants(rpc::Call<pb::SetGrantsRequest> call);
  rpc::Reply<pb::StaffMember> DeactivateStaff(rpc::Call<pb::DeactivateStaffRequest> call);
  rpc::Reply<pb::StaffMember> ReactivateStaff(rpc::Call<pb::ReactivateStaffRequest> call);

 private:
  postgres::Pool& pool_;
  const StaffLimits limits_;
  prometheus::Counter& invited_;
  prometheus::Counter& deactivated_;
  prometheus::Counter& unknown_codes_;
};

}  // namespace bv::identity
