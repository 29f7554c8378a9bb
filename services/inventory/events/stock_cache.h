// What is known of stock in Redis: "inventory:<tenant>:<productId>".
#pragma once

#include "libs/projections/projection.h"

namespace bv::inventory {

// A row a SKU and location, with its own version: on_hand, reserved and available as the last event about it
// said. For readers that can live with that; QueryStock and reservations ask the tables.
projections::Projection StockCache();
// What the GraphQL service keeps of stock, "gql:stock:<tenant>:<productId>": a change of one SKU's empties
// it.
projections::Projection GraphqlStock();

}  // namespace bv::inventory
