#include "services/webhook-dispatcher/store/once_per_key.h"

#include "libs/base/digest.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::webhook {
namespace {

using postgres::Statement;

// Whether the key is this request's now, and was nobody's.
bool Claim(postgres::Session& session, const RequestContext& context, const std::string& key_hash,
           const std::string& request_hash) {
  static constexpr Statement kForget{
      "idempotency_forget",
      "DELETE FROM idempotency_record WHERE tenant_id = $1 AND created_at < now() - interval '24 hours'"};
  static constexpr Statement kClaim{"idempotency_claim", R"sql(
    INSERT INTO idempotency_record (tenant_id, user_id, key_hash, request_hash) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING
  )sql"};
  session.Exec(kForget, context.tenant.str());
  return session.Exec(kClaim, context.tenant.str(), context.user_id, key_hash, request_hash)
             .affected_rows() == 1;
}

}  // namespace

absl::StatusOr<Outcome> OncePerKey(postgres::Session& session, const RequestContext& context,
                                   const google::protobuf::Message& request,
                                   const std::function<absl::StatusOr<std::string>()>& act) {
  static constexpr Statement kRead{"idempotency_read",
                                   "SELECT request_hash, result FROM idempotency_record "
                                   "WHERE tenant_id = $1 AND user_id = $2 AND key_hash = $3"};
  static constexpr Statement kStore{
      "idempotency_store",
      "UPDATE idempotency_record SET result = $4 WHERE tenant_id = $1 AND user_id = $2 AND key_hash = $3"};
  Outcome outcome;
  if (context.idempotency_key.empty()) {
    ASSIGN_OR_RETURN(outcome.result, act());
    return outcome;
  }
  const std::string key_hash = Sha256Hex(context.idempotency_key);
  // Each kind of request has a message of its own.
  const std::string request_hash =
      Sha256Hex(Concat(request.GetDescriptor()->full_name(), "\n", request.SerializeAsString()));
  if (Claim(session, context, key_hash, request_hash)) {
    ASSIGN_OR_RETURN(outcome.result, act());
    session.Exec(kStore, context.tenant.str(), context.user_id, key_hash, outcome.result);
    return outcome;
  }
  const pqxx::result found = session.Exec(kRead, context.tenant.str(), context.user_id, key_hash);
  if (found.empty()) return Error(absl::StatusCode::kAborted, "IDEMPOTENCY_KEY_RACED", "try again");
  if (found[0][0].as<std::string>() != request_hash) {
    return Error(absl::StatusCode::kInvalidArgument, "IDEMPOTENCY_KEY_REUSED",
                 "this Idempotency-Key was used for another request; use a new key", "Idempotency-Key");
  }
  return Outcome{.result = found[0][1].as<std::string>(), .repeated = true};
}

}  // namespace bv::webhook
