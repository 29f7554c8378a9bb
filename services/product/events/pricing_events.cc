#include "services/product/events/pricing_events.h"

#include "commerce/pricing/v1/events.pb.h"
#include "libs/rpc/timestamp.h"
#include "services/product/domain/words.h"

namespace bv::product {

namespace pricing = commerce::pricing::v1;

absl::StatusOr<events::OutboxRow> PriceUpdatedRow(const Product& product, const Variant& variant,
                                                  const EffectivePrice& price,
                                                  const RequestContext& context) {
  pricing::PriceUpdated event;
  event.set_product_id(product.id.str());
  event.set_variant_id(variant.id.str());
  event.set_sku(variant.sku.str());
  event.set_price(price.price.minor_units);
  event.set_currency(std::string(price.price.currency.code()));
  event.set_source(std::string(Word(price.source)));
  *event.mutable_valid_from() = rpc::ToTimestamp(price.valid_from);
  if (price.valid_until != absl::InfiniteFuture())
    *event.mutable_valid_until() = rpc::ToTimestamp(price.valid_until);
  event.set_version(product.version);
  return events::MakeRow(event, product.version, product.updated_at, context);
}

absl::StatusOr<events::OutboxRow> FlashSaleStartedRow(const Product& product, const FlashSale& sale,
                                                      const std::map<VariantId, Money>& regular_prices,
                                                      const RequestContext& context) {
  pricing::FlashSaleStarted event;
  event.set_sale_id(sale.id.str());
  event.set_product_id(product.id.str());
  event.set_name(sale.name);
  for (const SaleOffer& offer : sale.offers) {
    auto* line = event.add_offers();
    line->set_variant_id(offer.variant.str());
    line->set_sku(offer.sku.str());
    line->set_price(offer.price.minor_units);
    line->set_currency(std::string(offer.price.currency.code()));
    line->set_regular_price(regular_prices.at(offer.variant).minor_units);
  }
  *event.mutable_starts_at() = rpc::ToTimestamp(sale.starts_at);
  *event.mutable_ends_at() = rpc::ToTimestamp(sale.ends_at);
  return events::MakeRow(event, product.version, product.updated_at, context);
}

absl::StatusOr<events::OutboxRow> FlashSaleEndedRow(const Product& product, const FlashSale& sale,
                                                    const RequestContext& context) {
  pricing::FlashSaleEnded event;
  event.set_sale_id(sale.id.str());
  event.set_product_id(product.id.str());
  event.set_reason(sale.canceled_at ? "CANCELED" : "TIME");
  *event.mutable_ended_at() = rpc::ToTimestamp(sale.ends_at);
  return events::MakeRow(event, product.version, product.updated_at, context);
}

}  // namespace bv::product
