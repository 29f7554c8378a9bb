#pragma once

#include "libs/projections/projection.h"
#include "services/analytics/domain/time_zones.h"

namespace bv::analytics {

// A row a day in the tenant's time zone and currency. Rows that were made with other zones have to be
// rebuilt.
projections::Projection DailyRevenue(TimeZones zones);

}  // namespace bv::analytics
