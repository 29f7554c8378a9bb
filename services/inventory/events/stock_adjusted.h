#pragma once

#include <absl/status/statusor.h>

#include "libs/events/outbox.h"
#include "services/inventory/domain/desk.h"

namespace bv::inventory {

// ecommerce.inventory.stock.adjusted.v1 for the places of `shelf` that changed; of a quota
// ecommerce.inventory.quota.adjusted.v1, so that nobody who counts goods hears of it.
absl::StatusOr<events::OutboxRow> AdjustedRow(const SkuCode& sku, const StockChange& change,
                                              const Shelf& shelf, absl::Time occurred_at);

}  // namespace bv::inventory
