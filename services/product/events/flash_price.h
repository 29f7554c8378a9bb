// The flash sales that run, in Redis: "flash_price:<tenant>:<productId>".
#pragma once

#include "libs/projections/projection.h"

namespace bv::product {

// A row a sale, from its beginning to its end: `offers` is a JSON array of the event's offers. It goes with
// the sale's end, by its event or, at the latest, by its time. For showing; what something costs at a moment
// is for ResolveVariants to say.
projections::Projection FlashPrice();

}  // namespace bv::product
