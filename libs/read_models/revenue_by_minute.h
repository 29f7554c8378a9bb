#pragma once

#include "libs/projections/projection.h"

namespace bv::read_models {

// A row a minute and currency. An event that comes late changes the row of the minute in which it occurred.
// Minutes older than `keep`, which is 2 hours or more, may have been forgotten.
projections::Projection RevenueByMinute(absl::Duration keep);

}  // namespace bv::read_models
