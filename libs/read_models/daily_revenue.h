#pragma once

#include "libs/projections/projection.h"
#include "libs/read_models/time_zones.h"

namespace bv::read_models {

// A row a day in the tenant's time zone and currency. Rows that were made with other zones have to be
// rebuilt.
projections::Projection DailyRevenue(TimeZones zones);

}  // namespace bv::read_models
