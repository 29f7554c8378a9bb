#include "services/inventory/events/stock_cache.h"

#include "commerce/inventory/v1/events.pb.h"
#include "libs/base/macros.h"

namespace bv::inventory {
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
  for (const pb::StockAdjusted::Location& location : adjusted.locations()) {
    changes.push_back(
        {.tenant = event.tenant,
         .key = {adjusted.product_id(), adjusted.sku(), location.location_code()},
         .what = Put{.facet = 0,
                     .version = location.version(),
                     .values = {location.on_hand(), location.reserved(), location.available()}}});
  }
  return changes;
}

}  // namespace

projections::Projection StockCache() {
  return {.name = "inventory",
          .version = 1,
          .topics = {events::TypeOf<pb::StockAdjusted>().topic},
          .shape = {.key = {{"product_id", Kind::kText}, {"sku", Kind::kText}, {"location", Kind::kText}},
                    .facets = {{"stock",
                                {{"on_hand", Kind::kInteger},
                                 {"reserved", Kind::kInteger},
                                 {"available", Kind::kInteger}}}}},
          .changes = ChangesOf};
}

projections::Projection GraphqlStock() {
  projections::Projection shown = StockCache();
  shown.name = "gql:stock";
  return shown;
}

}  // namespace bv::inventory
