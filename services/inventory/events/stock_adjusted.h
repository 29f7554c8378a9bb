#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

#include "libs/events/outbox.h"
#include "services/inventory/domain/stock.h"

namespace bv::inventory {

// What one transaction did to one SKU.
struct StockChange {
  SkuCode sku;
  // Of `available`.
  std::int64_t delta = 0;
  // "MIXED" where several requests had different ones.
  std::string reason;
  // The first request that changed the SKU.
  const RequestContext* context = nullptr;
};

// ecommerce.inventory.stock.adjusted.v1 for the places of `shelf` that changed. The version is the sum of the
// places' versions: every change makes one of them grow.
absl::StatusOr<events::OutboxRow> StockAdjustedRow(const StockChange& change, const Shelf& shelf,
                                                   absl::Time occurred_at);

}  // namespace bv::inventory
