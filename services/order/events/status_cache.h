// Where an order stands, in Redis: "order_status:<tenant>:<orderId>".
#pragma once

#include "libs/projections/projection.h"

namespace bv::order {

// While an order is under way; once it is fulfilled or canceled its row is removed. Two facets: what its
// creation says is the status only, and of payment and fulfilment nothing is known before they change.
projections::Projection StatusCache();

}  // namespace bv::order
