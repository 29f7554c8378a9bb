#include "services/identity/rpc/revocation_rpc.h"

#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"
#include "services/identity/rpc/page.h"
#include "services/identity/store/revocation_rows.h"
#include "services/identity/store/revoke.h"
#include "services/identity/store/tenant_row.h"

namespace bv::identity {
namespace {

template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

}  // namespace

RevocationRpc::RevocationRpc(postgres::Pool& pool, absl::Duration lifetime_max)
    : pool_(pool),
      lifetime_max_(lifetime_max),
      revoked_(telemetry::Counter("identity_revocations_total", "Calls that revoked tokens.")) {}

void RevocationRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.identity.v1.Revocations";
  server.Handle(service, "RevokeTokens", *this, &RevocationRpc::RevokeTokens);
  server.Handle(service, "ListRevocations", *this, &RevocationRpc::ListRevocations);
}

rpc::Reply<pb::Revocation> RevocationRpc::RevokeTokens(rpc::Call<pb::RevokeTokensRequest> call) {
  const RequestContext& context = call.context();
  CO_RETURN_IF_ERROR(CheckRequest(call.request()));
  Work<Revocation> revoke = [&](postgres::Session& session) {
    const std::int64_t change = LockTenant(session, context.tenant);
    return Revoke(session, context, call.request().subject(), call.request().token_id(), lifetime_max_,
                  change);
  };
  CO_ASSIGN_OR_RETURN(const Revocation revocation,
                      co_await pool_.Transact<Revocation>(context, std::move(revoke)));
  revoked_.Increment();
  co_return ToProto(revocation);
}

rpc::Reply<pb::ListRevocationsResponse> RevocationRpc::ListRevocations(
    rpc::Call<pb::ListRevocationsRequest> call) {
  const RequestContext& context = call.context();
  CO_RETURN_IF_ERROR(CheckRequest(call.request()));
  CO_ASSIGN_OR_RETURN(const int page_size, PageSize(call.request().page_size()));
  CO_ASSIGN_OR_RETURN(const RevocationPlace after, RevocationBefore(call.request().page_token()));
  using Revocations = std::vector<Revocation>;
  // One more tells whether there is a next page.
  Work<Revocations> list = [&](postgres::Session& session) -> absl::StatusOr<Revocations> {
    return identity::ListRevocations(session, context.tenant, call.request().subject(), after, page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(Revocations found, co_await pool_.Read<Revocations>(context, std::move(list)));
  pb::ListRevocationsResponse response;
  if (found.size() > static_cast<std::size_t>(page_size)) {
    found.pop_back();
    const RevocationPlace last{.subject = found.back().subject, .token_id = found.back().token_id};
    response.set_next_page_token(TokenOf(last));
  }
  for (const Revocation& revocation : found) *response.add_revocations() = ToProto(revocation);
  co_return response;
}

}  // namespace bv::identity
