// Quotas: how many pieces may be sold on some condition, as at the price of a flash sale. A quota is kept,
// taken and given back as stock is, in the place of a SKU, but it is no goods; pure.
#pragma once

#include <string_view>

#include "libs/base/values.h"

namespace bv::inventory {

// No SKU of a catalogue has a colon.
inline constexpr std::string_view kQuotaPrefix = "quota:";

inline bool IsQuota(const SkuCode& sku) {
  return sku.str().starts_with(kQuotaPrefix);
}

}  // namespace bv::inventory
