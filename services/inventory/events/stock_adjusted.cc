#include "services/inventory/events/stock_adjusted.h"

#include "commerce/inventory/v1/events.pb.h"

namespace bv::inventory {
absl::StatusOr<events::OutboxRow> StockAdjustedRow(const SkuCode& sku, const StockChange& change,
                                                   const Shelf& shelf, absl::Time occurred_at) {
  commerce::inventory::v1::StockAdjusted event;
  event.set_product_id(shelf.product.str());
  event.set_sku(sku.str());
  event.set_delta(change.delta);
  event.set_reason(change.reason);
  for (const Place& place : shelf.places) {
    if (!place.changed) continue;
    auto* location = event.add_locations();
    location->set_location_code(place.location.str());
    location->set_on_hand(place.on_hand);
    location->set_reserved(place.reserved);
    location->set_available(place.available());
    location->set_version(place.version);
  }
  return events::MakeRow(event, shelf.version(), occurred_at, *change.context);
}

}  // namespace bv::inventory
