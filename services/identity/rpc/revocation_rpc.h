// The service commerce.identity.v1.Revocations.
#pragma once

#include <absl/time/time.h>
#include <prometheus/counter.h>

#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/identity/rpc/convert.h"

namespace bv::identity {

class RevocationRpc {
 public:
  // The pool outlives it. No token lives longer than `lifetime_max`.
  RevocationRpc(postgres::Pool& pool, absl::Duration lifetime_max);

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Revocation> RevokeTokens(rpc::Call<pb::RevokeTokensRequest> call);
  rpc::Reply<pb::ListRevocationsResponse> ListRevocations(rpc::Call<pb::ListRevocationsRequest> call);

 private:
  postgres::Pool& pool_;
  const absl::Duration lifetime_max_;
  prometheus::Counter& revoked_;
};

}  // namespace bv::identity
