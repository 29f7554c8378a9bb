#include "services/identity/domain/grant.h"

#include <algorithm>
#include <array>
#include <set>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/base/values.h"

namespace bv::identity {
namespace {

constexpr std::size_t kGrantsMax = 100;
constexpr std::array<std::string_view, 10> kPermissions = {
    "catalog.write",  "stock.write", "prices.write",   "orders.read",  "orders.write",
    "payments.write", "mails.write", "webhooks.write", "reports.read", "staff.write"};

absl::Status CheckPermissions(const std::vector<std::string>& permissions, const std::string& field) {
  if (permissions.empty() || permissions.size() > kPermissions.size())
    return InvalidValue(field, Concat("must be 1 to ", kPermissions.size(), " permissions"));
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < permissions.size(); ++i) {
    const std::string place = Concat(field, "[", i, "]");
    if (std::ranges::find(kPermissions, permissions[i]) == kPermissions.end())
      return InvalidValue(place, "is no permission");
    if (!seen.insert(permissions[i]).second) return InvalidValue(place, "is there twice");
  }
  return absl::OkStatus();
}

}  // namespace

std::span<const std::string_view> Permissions() {
  return kPermissions;
}

absl::Status CheckGrants(const std::vector<Grant>& grants) {
  if (grants.size() > kGrantsMax)
    return InvalidValue("grants", Concat("must be at most ", kGrantsMax, " grants"));
  std::set<std::string_view> stores;
  for (std::size_t i = 0; i < grants.size(); ++i) {
    const std::string place = Concat("grants[", i, "]");
    const std::string store = Concat(place, ".storeCode");
    if (grants[i].store != kEveryStore) RETURN_IF_ERROR(StoreCode::Parse(grants[i].store, store).status());
    if (!stores.insert(grants[i].store).second) return InvalidValue(store, "is there twice");
    RETURN_IF_ERROR(CheckPermissions(grants[i].permissions, Concat(place, ".permissions")));
  }
  return absl::OkStatus();
}

}  // namespace bv::identity
