#include "libs/auth/staff_directory.h"

#include <algorithm>
#include <mutex>

#include "libs/telemetry/telemetry.h"

namespace bv::auth {

void StaffDirectory::AllowUnknown(bool allow) {
  const std::unique_lock lock(mutex_);
  allows_unknown_ = allow;
}

void StaffDirectory::Put(const TenantId& tenant, const std::string& user, StaffRecord record) {
  // What comes back with the account comes with its next record.
  if (!record.is_active) record.grants.clear();
  Person person(tenant.str(), user);
  const std::unique_lock lock(mutex_);
  const auto known = people_.find(person);
  if (known != people_.end()) {
    if (record.version > known->second.version) known->second = std::move(record);
    return;
  }
  if (people_.size() < people_max_) {
    people_.emplace(std::move(person), std::move(record));
    return;
  }
  is_incomplete_ = true;
  telemetry::LogLimited(telemetry::Level::kError, "too many people: whoever is not known is refused",
                        {{"tenantId", tenant.str()}, {"people", static_cast<std::int64_t>(people_max_)}});
}

bool StaffDirectory::IsDeactivated(const TenantId& tenant, const std::string& user) const {
  const std::shared_lock lock(mutex_);
  const auto found = people_.find(Person(tenant.str(), user));
  return found != people_.end() && !found->second.is_active;
}

bool StaffDirectory::Allows(const TenantId& tenant, const std::string& user,
                            std::string_view permission) const {
  return AllowsWhere(tenant, user, permission, nullptr);
}

bool StaffDirectory::Allows(const TenantId& tenant, const std::string& user, std::string_view permission,
                            std::string_view store) const {
  return AllowsWhere(tenant, user, permission, &store);
}

bool StaffDirectory::AllowsWhere(const TenantId& tenant, const std::string& user, std::string_view permission,
                                 const std::string_view* store) const {
  const std::shared_lock lock(mutex_);
  const auto found = people_.find(Person(tenant.str(), user));
  if (found == people_.end()) return allows_unknown_ && !is_incomplete_;
  return std::ranges::any_of(found->second.grants, [&](const StaffGrant& grant) {
    return (store == nullptr || grant.store == "*" || grant.store == *store) &&
           std::ranges::find(grant.permissions, permission) != grant.permissions.end();
  });
}

std::size_t StaffDirectory::size() const {
  const std::shared_lock lock(mutex_);
  return people_.size();
}

}  // namespace bv::auth
