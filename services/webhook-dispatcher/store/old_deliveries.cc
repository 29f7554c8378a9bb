#include "services/webhook-dispatcher/store/old_deliveries.h"

#include <string>

namespace bv::webhook {

using postgres::Statement;

std::vector<TenantId> TenantsWithOldDeliveries(postgres::Session& session, absl::Duration keep) {
  // From one tenant's oldest delivery to the next tenant's.
  static constexpr Statement kTenants{"webhook_tenants_with_old", R"sql(
    WITH RECURSIVE oldest AS (
      (SELECT tenant_id, created_at FROM webhook_delivery WHERE created_at IS NOT NULL ORDER BY tenant_id, created_at LIMIT 1)
      UNION ALL
      SELECT later.tenant_id, later.created_at
      FROM oldest o CROSS JOIN LATERAL (
        SELECT tenant_id, created_at FROM webhook_delivery WHERE tenant_id > o.tenant_id AND created_at IS NOT NULL ORDER BY tenant_id, created_at LIMIT 1
      ) later
    )
    SELECT tenant_id FROM oldest WHERE created_at < now() - $1 * interval '1 microsecond'
  )sql"};
  std::vector<TenantId> tenants;
  for (const auto& row : session.Exec(kTenants, absl::ToInt64Microseconds(keep)))
    tenants.push_back(TenantId::Trusted(row[0].as<std::string>()));
  return tenants;
}

int DeleteOldDeliveries(postgres::Session& session, const TenantId& tenant, absl::Duration keep,
                        int rows_max) {
  static constexpr Statement kDelete{"webhook_deliveries_delete_old", R"sql(
    WITH old AS (
      SELECT delivery_id FROM webhook_delivery
      WHERE tenant_id = $1 AND created_at < now() - $2 * interval '1 microsecond'
      ORDER BY created_at
      LIMIT $3
    ), attempts AS (
      DELETE FROM webhook_delivery_attempts a USING old o WHERE a.tenant_id = $1 AND a.delivery_id = o.delivery_id
    )
    DELETE FROM webhook_delivery d USING old o WHERE d.tenant_id = $1 AND d.delivery_id = o.delivery_id
  )sql"};
  return static_cast<int>(
      session.Exec(kDelete, tenant.str(), absl::ToInt64Microseconds(keep), rows_max).affected_rows());
}

}  // namespace bv::webhook
