#include "services/inventory/events/stock_adjusted.h"

#include "commerce/inventory/v1/events.pb.h"
#include "services/inventory/domain/quota.h"

namespace bv::inventory {
namespace {

namespace pb = commerce::inventory::v1;

pb::QuotaAdjusted QuotaAdjusted(const SkuCode& quota, const StockChange& change, const Shelf& shelf) {
  pb::QuotaAdjusted event;
  event.set_quota(quota.str());
  event.set_delta(change.delta);
  event.set_reason(change.reason);
  event.set_available(shelf.available());
  event.set_version(shelf.version());
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  for (const Place& place : shelf.places) {
    on_hand += place.on_hand;
    reserved += place.reserved;
  }
  event.set_on_hand(on_hand);
  event.set_reserved(reserved);
  return event;
}

pb::StockAdjusted StockAdjusted(const SkuCode& sku, const StockChange& change, const Shelf& shelf) {
  pb::StockAdjusted event;
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
  return event;
}

}  // namespace

absl::StatusOr<events::OutboxRow> AdjustedRow(const SkuCode& sku, const StockChange& change,
                                              const Shelf& shelf, absl::Time occurred_at) {
  const RequestContext& context = *change.context;
  if (IsQuota(sku))
    return events::MakeRow(QuotaAdjusted(sku, change, shelf), shelf.version(), occurred_at, context);
  return events::MakeRow(StockAdjusted(sku, change, shelf), shelf.version(), occurred_at, context);
}

}  // namespace bv::inventory
