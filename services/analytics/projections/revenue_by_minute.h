#pragma once

#include "libs/projections/projection.h"

namespace bv::analytics {

// A row a minute and currency. An event that comes late changes the row of the minute in which it occurred.
projections::Projection RevenueByMinute();

}  // namespace bv::analytics
