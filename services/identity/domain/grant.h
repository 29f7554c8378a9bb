// What somebody may do in which store.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bv::identity {

// Every permission that there is, "<area>.<verb>".
std::span<const std::string_view> Permissions();

inline constexpr std::string_view kEveryStore = "*";

struct Grant {
  // A StoreCode, or kEveryStore.
  std::string store;
  // Each once.
  std::vector<std::string> permissions;

  friend bool operator==(const Grant&, const Grant&) = default;
};

// INVALID_ARGUMENT names the first that is wrong, as "grants[2].permissions[0]". Whether the stores are there
// is not asked.
absl::Status CheckGrants(const std::vector<Grant>& grants);

}  // namespace bv::identity
