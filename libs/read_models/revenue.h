// Inside libs/read_models: what an event brings in or gives back. The projections of revenue differ in
// their windows only.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "libs/base/money.h"
#include "libs/projections/projection.h"

namespace bv::read_models {

struct Revenue {
  Currency currency;
  // Minor units, 0 or more. One of them is what the event is about.
  std::int64_t paid = 0;
  std::int64_t refunded = 0;
  bool is_refund = false;
};

// Absent for events without money: order.paid brings it in, order.canceled gives back what it names.
absl::StatusOr<std::optional<Revenue>> RevenueOf(const projections::Event& event);

// The topic of these events.
const std::string& RevenueTopic();
// paid_amount, paid_orders, refunded_amount, refunded_orders.
std::vector<std::string> RevenueSums();
projections::Add AddOf(const Revenue& revenue);

}  // namespace bv::read_models
