#include "services/identity/store/revocation_rows.h"

namespace bv::identity {
namespace {

using postgres::Statement;

#define BV_REVOCATION_COLUMNS                                          \
  "subject, token_id, "                                                \
  "(extract(epoch FROM issued_until) * 1e6)::bigint AS issued_until, " \
  "(extract(epoch FROM forget_after) * 1e6)::bigint AS forget_after, revoked_by "

Revocation RevocationOf(const pqxx::row& row) {
  return {.subject = row["subject"].c_str(),
          .token_id = row["token_id"].c_str(),
          .issued_until = postgres::TimeFromMicros(row["issued_until"]),
          .forget_after = postgres::TimeFromMicros(row["forget_after"]),
          .revoked_by = row["revoked_by"].c_str()};
}

}  // namespace

Revocation StoreRevocation(postgres::Session& session, const TenantId& tenant, const std::string& subject,
                           const std::string& token_id, const std::string& revoked_by,
                           absl::Duration lifetime_max) {
  static constexpr Statement kStore{"revocation_store", R"sql(
    INSERT INTO revocation (tenant_id, subject, token_id, issued_until, forget_after, revoked_by)
    VALUES ($1, $2, $3, now(), now() + $4::bigint * interval '1 microsecond', $5)
    ON CONFLICT (tenant_id, subject, token_id) DO UPDATE
      SET issued_until = greatest(revocation.issued_until, EXCLUDED.issued_until),
          forget_after = greatest(revocation.forget_after, EXCLUDED.forget_after), revoked_by = EXCLUDED.revoked_by
    RETURNING )sql" BV_REVOCATION_COLUMNS};
  return RevocationOf(session.Exec(kStore, tenant.str(), subject, token_id,
                                   absl::ToInt64Microseconds(lifetime_max), revoked_by)[0]);
}

std::vector<Revocation> ListRevocations(postgres::Session& session, const TenantId& tenant,
                                        const std::string& subject, const RevocationPlace& after, int limit) {
  // The last condition lets the index begin at the subject.
  static constexpr Statement kList{"revocation_list", "SELECT " BV_REVOCATION_COLUMNS R"sql(
    FROM revocation
    WHERE tenant_id = $1 AND ($2 = '' OR subject = $2) AND (subject, token_id) > ($3, $4) AND forget_after > now() AND subject >= $2
    ORDER BY subject, token_id LIMIT $5::int
  )sql"};
  std::vector<Revocation> revocations;
  for (const pqxx::row& row :
       session.Exec(kList, tenant.str(), subject, after.subject, after.token_id, limit))
    revocations.push_back(RevocationOf(row));
  return revocations;
}

std::int64_t ForgetRevocations(postgres::Session& session, int limit) {
  static constexpr Statement kForget{"revocation_forget", R"sql(
    WITH old AS (
      SELECT tenant_id, subject, token_id FROM revocation WHERE forget_after < now() ORDER BY forget_after LIMIT $1::int
    )
    DELETE FROM revocation AS r USING old
    WHERE r.tenant_id = old.tenant_id AND r.subject = old.subject AND r.token_id = old.token_id AND r.forget_after < now()
  )sql"};
  return static_cast<std::int64_t>(session.Exec(kForget, limit).affected_rows());
}

}  // namespace bv::identity
