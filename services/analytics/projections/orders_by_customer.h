#pragma once

#include "libs/projections/projection.h"

namespace bv::analytics {

// A row an order, below its customer.
projections::Projection OrdersByCustomer();

}  // namespace bv::analytics
