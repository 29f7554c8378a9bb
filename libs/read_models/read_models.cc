#include "libs/read_models/read_models.h"

#include "libs/read_models/daily_revenue.h"
#include "libs/read_models/inventory_snapshot.h"
#include "libs/read_models/orders_by_customer.h"
#include "libs/read_models/revenue_by_minute.h"

namespace bv::read_models {

void Settings::Bind(config::Binder& b) {
  b.Text("analytics.time_zone", time_zone);
  b.TextList("analytics.time_zones", time_zones);
  b.Duration("analytics.live_keep", minutes_keep, {absl::Hours(2), absl::Hours(24 * 7)});
}

absl::StatusOr<TimeZones> Settings::Zones() const {
  return TimeZones::Create(time_zone, time_zones);
}

std::vector<projections::Projection> AllProjections(const TimeZones& zones, absl::Duration minutes_keep) {
  return {OrdersByCustomer(), InventorySnapshot(), DailyRevenue(zones), RevenueByMinute(minutes_keep)};
}

}  // namespace bv::read_models
