// The rows of revoked tokens. Everything here runs inside a transaction or read of `session`, and throws what
// libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/identity/domain/revocation.h"

namespace bv::identity {

// From the transaction's time on, and remembered for `lifetime_max`; one that is there is made to last
// longer.
Revocation StoreRevocation(postgres::Session& session, const TenantId& tenant, const std::string& subject,
                           const std::string& token_id, const std::string& revoked_by,
                           absl::Duration lifetime_max);

// The place of a revocation in the list; empty: before all.
struct RevocationPlace {
  std::string subject;
  std::string token_id;
};
// Behind `after`, by subject and token, of one subject or (empty) of all; without those to be forgotten.
std::vector<Revocation> ListRevocations(postgres::Session& session, const TenantId& tenant,
                                        const std::string& subject, const RevocationPlace& after, int limit);

// Of all tenants, in a session of postgres::EveryTenant(): deletes at most `limit` that are to be forgotten,
// and returns how many.
std::int64_t ForgetRevocations(postgres::Session& session, int limit);

}  // namespace bv::identity
