#pragma once

#include "libs/projections/projection.h"

namespace bv::read_models {

// A row a SKU and location, by the version that inventory keeps of that place.
projections::Projection InventorySnapshot();

}  // namespace bv::read_models
