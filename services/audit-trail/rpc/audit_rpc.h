// The service commerce.audit.v1.AuditTrail.
#pragma once

#include "commerce/audit/v1/service.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"

namespace bv::audit_trail {

namespace pb = commerce::audit::v1;

class AuditRpc {
 public:
  explicit AuditRpc(postgres::Pool& pool) : pool_(pool) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::ListEntriesResponse> ListEntries(rpc::Call<pb::ListEntriesRequest> call);
  rpc::Reply<pb::VerifyChainResponse> VerifyChain(rpc::Call<pb::VerifyChainRequest> call);

 private:
  postgres::Pool& pool_;
};

}  // namespace bv::audit_trail
