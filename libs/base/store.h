// Stores of a tenant: its own shop, a till, the site of one of its brands. They are told apart by their code
// (StoreCode).
#pragma once

#include <string_view>

namespace bv {

// What names no store is of this one: orders and events from before there were stores, and those of tenants
// that have only one.
inline constexpr std::string_view kDefaultStore = "default";

}  // namespace bv
