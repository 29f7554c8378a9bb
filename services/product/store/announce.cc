#include "services/product/store/announce.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "libs/base/macros.h"
#include "libs/events/outbox.h"
#include "services/product/events/pricing_events.h"
#include "services/product/events/product_updated.h"
#include "services/product/store/price_rows.h"
#include "services/product/store/sale_rows.h"

namespace bv::product {
namespace {

// The shortest time that the database tells apart.
constexpr absl::Duration kTick = absl::Microseconds(1);

using Rows = std::vector<events::OutboxRow>;

// The times at which a price may have changed: that of the change, and those that came by themselves.
std::set<absl::Time> EdgesOf(const Due& due, absl::Time change) {
  std::set<absl::Time> edges{change};
  for (const Due::Sale& each : due.sales) {
    if (!each.start_announced) edges.insert(each.sale.starts_at);
    if (each.sale.ends_at <= change) edges.insert(each.sale.ends_at);
  }
  edges.insert(due.override_ends.begin(), due.override_ends.end());
  return edges;
}

absl::Status AddPrices(Rows& rows, const Product& product, const Periods& periods, absl::Time edge,
                       const RequestContext& context) {
  for (const Variant& variant : product.variants) {
    const std::vector<PricePeriod>& of_variant = periods.at(variant.id);
    const auto before = PriceAt(of_variant, edge - kTick);
    const auto after = PriceAt(of_variant, edge);
    // The first price of a variant is no change of one.
    if (!before || !after || !IsAnotherPrice(*before, *after)) continue;
    ASSIGN_OR_RETURN(events::OutboxRow row, PriceUpdatedRow(product, variant, *after, context));
    rows.push_back(std::move(row));
  }
  return absl::OkStatus();
}

absl::StatusOr<events::OutboxRow> StartedRow(const Product& product, const Periods& periods,
                                             const FlashSale& sale, const RequestContext& context) {
  std::map<VariantId, Money> regular_prices;
  for (const SaleOffer& offer : sale.offers) {
    const auto regular = RegularPriceAt(periods.at(offer.variant), sale.starts_at);
    regular_prices[offer.variant] = regular ? regular->price : offer.price;
  }
  return FlashSaleStartedRow(product, sale, regular_prices, context);
}

// What ends at `edge` comes before what begins there.
absl::Status AddSales(Rows& rows, const Product& product, const Periods& periods, const Due& due,
                      absl::Time edge, const RequestContext& context) {
  for (const Due::Sale& each : due.sales) {
    if (each.sale.ends_at != edge) continue;
    ASSIGN_OR_RETURN(events::OutboxRow row, FlashSaleEndedRow(product, each.sale, context));
    rows.push_back(std::move(row));
  }
  for (const Due::Sale& each : due.sales) {
    if (each.start_announced || each.sale.starts_at != edge) continue;
    ASSIGN_OR_RETURN(events::OutboxRow row, StartedRow(product, periods, each.sale, context));
    rows.push_back(std::move(row));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Announce(postgres::Session& session, const RequestContext& context, const Product& product) {
  const Due due = TakeDue(session, context.tenant, product.id, product.updated_at);
  const std::set<absl::Time> edges = EdgesOf(due, product.updated_at);
  const Periods periods = ReadPeriods(session, context.tenant, product, *edges.begin() - kTick);
  Rows rows;
  ASSIGN_OR_RETURN(events::OutboxRow updated, ProductUpdatedRow(product, context));
  rows.push_back(std::move(updated));
  for (const absl::Time edge : edges) {
    RETURN_IF_ERROR(AddPrices(rows, product, periods, edge, context));
    RETURN_IF_ERROR(AddSales(rows, product, periods, due, edge, context));
  }
  events::InsertOutbox(session, rows);
  return absl::OkStatus();
}

}  // namespace bv::product
