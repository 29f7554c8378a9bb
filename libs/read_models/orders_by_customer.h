#pragma once

#include "libs/projections/projection.h"

namespace bv::read_models {

// A row an order, below its customer.
projections::Projection OrdersByCustomer();

}  // namespace bv::read_models
