// Who works for which tenant, and what they were given to do.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/request_context.h"

namespace bv::auth {

struct StaffGrant {
  // A store of the tenant; "*": every store.
  std::string store;
  // "orders.write", …
  std::vector<std::string> permissions;
};

struct StaffRecord {
  // Who is not may do nothing.
  bool is_active = false;
  std::vector<StaffGrant> grants;
  // Of two records of somebody the one with the higher version counts.
  std::int64_t version = 0;
};

// Thread safe. At most `people_max` people, each with some hundred bytes for their grants: who comes later is
// not taken, and from then on whoever is not in it is refused.
class StaffDirectory {
 public:
  explicit StaffDirectory(std::size_t people_max = 100'000) : people_max_(people_max) {}

  // Whether somebody who is not in it may do everything that the role alone allows: for deployments without
  // accounts. So it is until this is called.
  void AllowUnknown(bool allow);
  // `user` is the `sub` of their tokens.
  void Put(const TenantId& tenant, const std::string& user, StaffRecord record);

  bool IsDeactivated(const TenantId& tenant, const std::string& user) const;
  // Whether they were given `permission` in any store.
  bool Allows(const TenantId& tenant, const std::string& user, std::string_view permission) const;
  // Whether they were given it in `store` or in every store.
  bool Allows(const TenantId& tenant, const std::string& user, std::string_view permission,
              std::string_view store) const;
  std::size_t size() const;

 private:
  using Person = std::pair<std::string, std::string>;
  bool AllowsWhere(const TenantId& tenant, const std::string& user, std::string_view permission,
                   const std::string_view* store) const;

  const std::size_t people_max_;
  mutable std::shared_mutex mutex_;
  absl::flat_hash_map<Person, StaffRecord> people_;
  bool allows_unknown_ = true;
  bool is_incomplete_ = false;
};

}  // namespace bv::auth
