// What is older than deliveries are kept. As store/deliveries.h: inside `work`, throws what libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <vector>

#include "libs/postgres/postgres.h"

namespace bv::webhook {

// In a read, for EveryTenant().
std::vector<TenantId> TenantsWithOldDeliveries(postgres::Session& session, absl::Duration keep);
// The oldest first, with their attempts; answers how many they were.
int DeleteOldDeliveries(postgres::Session& session, const TenantId& tenant, absl::Duration keep,
                        int rows_max);

}  // namespace bv::webhook
