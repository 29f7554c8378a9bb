// Pages of lists: sizes, and tokens that say where the next page begins, encoded so that nobody builds on
// their form.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "libs/base/values.h"
#include "services/identity/domain/staff.h"
#include "services/identity/store/revocation_rows.h"

namespace bv::identity {

// 20 for 0. INVALID_ARGUMENT unless it is 1 to 100.
absl::StatusOr<int> PageSize(int asked);

// Of the last entry of the page before. The inverses are INVALID_ARGUMENT for what is no token of that list;
// of an empty one, where the list begins.
std::string TokenOf(const StaffId& last);
absl::StatusOr<StaffId> StaffBefore(const std::string& token);
std::string TokenOf(const StoreCode& last);
absl::StatusOr<StoreCode> StoreBefore(const std::string& token);
std::string TokenOf(const RevocationPlace& last);
absl::StatusOr<RevocationPlace> RevocationBefore(const std::string& token);

}  // namespace bv::identity
