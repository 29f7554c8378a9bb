#include "libs/read_models/inventory_snapshot.h"

#include "commerce/inventory/v1/events.pb.h"
#include "libs/base/macros.h"

namespace bv::read_models {
namespace {

namespace pb = commerce::inventory::v1;
using projections::Change;
using projections::Event;
using projections::Kind;
using projections::Put;

absl::StatusOr<std::vector<Change>> ChangesOf(const Event& event) {
  std::vector<Change> changes;
  if (!event.envelope.Is<pb::StockAdjusted>()) return changes;
  pb::StockAdjusted adjusted;
  RETURN_IF_ERROR(event.envelope.ParsePayload(adjusted));
  ASSIGN_OR_RETURN(const SkuCode sku, SkuCode::Parse(adjusted.sku(), "payload.sku"));
  for (const pb::StockAdjusted::Location& place : adjusted.locations()) {
    ASSIGN_OR_RETURN(const LocationCode location,
                     LocationCode::Parse(place.location_code(), "payload.locations.locationCode"));
    Put stock{0,
              place.version(),
              {adjusted.product_id(), place.on_hand(), place.reserved(), place.available(),
               event.envelope.occurred_at()}};
    changes.push_back({event.tenant, {sku.str(), location.str()}, std::move(stock)});
  }
  return changes;
}

}  // namespace

projections::Projection InventorySnapshot() {
  return {.name = "inventory_snapshot",
          .version = 1,
          .topics = {events::TypeOf<pb::StockAdjusted>().topic},
          .shape = {.key = {{"sku", Kind::kText}, {"location_code", Kind::kText}},
                    .facets = {{"stock",
                                {{"product_id", Kind::kText},
                                 {"on_hand", Kind::kInteger},
                                 {"reserved", Kind::kInteger},
                                 {"available", Kind::kInteger},
                                 {"updated_at", Kind::kTime}}}}},
          .changes = ChangesOf};
}

}  // namespace bv::read_models
