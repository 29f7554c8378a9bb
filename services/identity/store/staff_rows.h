// The rows of accounts, with their grants. Everything here runs inside a transaction or read of `session`,
// and throws what libpqxx throws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/identity/domain/staff.h"

namespace bv::identity {

std::optional<Staff> ReadStaff(postgres::Session& session, const TenantId& tenant, const StaffId& id);
std::optional<Staff> FindStaffByEmail(postgres::Session& session, const TenantId& tenant, const Email& email);
std::optional<Staff> FindStaffByUser(postgres::Session& session, const TenantId& tenant,
                                     const std::string& user_id);
std::optional<Staff> FindStaffByCode(postgres::Session& session, const TenantId& tenant,
                                     const std::string& code_hash);
// Behind `after`, oldest first; of one status or of all.
std::vector<Staff> ListStaff(postgres::Session& session, const TenantId& tenant,
                             std::optional<StaffStatus> status, const StaffId& after, int limit);
// Those that are not DEACTIVATED.
int CountStaff(postgres::Session& session, const TenantId& tenant);

// Stores a new one; sets its times.
void InsertStaff(postgres::Session& session, const TenantId& tenant, Staff& staff);
// Stores one that was read behind LockTenant; sets its version, higher by one, and the time of the change.
void UpdateStaff(postgres::Session& session, const TenantId& tenant, Staff& staff);

}  // namespace bv::identity
