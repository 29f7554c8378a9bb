// How a batch names its orders to SQL.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bv::order {

// Tenant and order.
using OrderKey = std::pair<std::string, std::string>;

// Keys as two columns for unnest.
struct OrderKeyColumns {
  explicit OrderKeyColumns(const std::vector<OrderKey>& keys) {
    for (const auto& [tenant, order] : keys) {
      tenants.push_back(tenant);
      orders.push_back(order);
    }
  }
  std::vector<std::string> tenants, orders;
};

}  // namespace bv::order
