#include "services/identity/store/tenant_row.h"

namespace bv::identity {

std::int64_t LockTenant(postgres::Session& session, const TenantId& tenant) {
  static constexpr postgres::Statement kLock{"identity_tenant_lock", R"sql(
    INSERT INTO identity_tenant (tenant_id, changes) VALUES ($1, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET changes = identity_tenant.changes + 1
    RETURNING changes
  )sql"};
  return session.Exec(kLock, tenant.str())[0][0].as<std::int64_t>();
}

}  // namespace bv::identity
