#include "services/analytics/projections/all.h"

#include "services/analytics/projections/daily_revenue.h"
#include "services/analytics/projections/inventory_snapshot.h"
#include "services/analytics/projections/orders_by_customer.h"
#include "services/analytics/projections/revenue_by_minute.h"

namespace bv::analytics {

std::vector<projections::Projection> AllProjections(const TimeZones& zones) {
  return {OrdersByCustomer(), InventorySnapshot(), DailyRevenue(zones), RevenueByMinute()};
}

}  // namespace bv::analytics
