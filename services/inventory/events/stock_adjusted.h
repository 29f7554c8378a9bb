#pragma once

#include <absl/status/statusor.h>

#include "libs/events/outbox.h"
#include "services/inventory/domain/desk.h"

namespace bv::inventory {

// ecommerce.inventory.stock.adjusted.v1 for the places of `shelf` that changed.
absl::StatusOr<events::OutboxRow> StockAdjustedRow(const SkuCode& sku, const StockChange& change,
                                                   const Shelf& shelf, absl::Time occurred_at);

}  // namespace bv::inventory
