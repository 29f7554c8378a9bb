#pragma once

#include <vector>

#include "libs/projections/projection.h"
#include "services/analytics/domain/time_zones.h"

namespace bv::analytics {

// Those of the service: a new one is a file of its own beside this, a table in migrations/, and a line here.
std::vector<projections::Projection> AllProjections(const TimeZones& zones);

}  // namespace bv::analytics
