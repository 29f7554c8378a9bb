#include "services/inventory/events/stock_adjusted.h"

#include "commerce/inventory/v1/events.pb.h"

namespace bv::inventory {
namespace {

constexpr events::EventType kStockAdjusted{.name = "ecommerce.inventory.stock.adjusted.v1",
                                           .topic = "ecommerce.inventory.stock",
                                           .schema_version = "1.0"};

}  // namespace

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
  return events::MakeRow(kStockAdjusted, "inventory-service", shelf.product.str(), shelf.version(),
                         occurred_at, *change.context, event);
}

}  // namespace bv::inventory
