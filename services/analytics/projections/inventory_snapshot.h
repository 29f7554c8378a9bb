#pragma once

#include "libs/projections/projection.h"

namespace bv::analytics {

// A row a SKU and location, by the version that inventory keeps of that place.
projections::Projection InventorySnapshot();

}  // namespace bv::analytics
