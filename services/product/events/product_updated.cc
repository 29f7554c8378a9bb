#include "services/product/events/product_updated.h"

#include "commerce/product/v1/events.pb.h"
#include "services/product/domain/words.h"

namespace bv::product {

namespace common = commerce::common::v1;

absl::StatusOr<events::OutboxRow> ProductUpdatedRow(const Product& product, const RequestContext& context) {
  commerce::product::v1::ProductUpdated event;
  event.set_product_id(product.id.str());
  event.set_title(product.title);
  event.set_description(product.description);
  event.set_status(std::string(Word(product.status)));
  for (const Variant& variant : product.variants) {
    auto* line = event.add_variants();
    line->set_variant_id(variant.id.str());
    line->set_sku(variant.sku.str());
    line->set_price(variant.price.minor_units);
    line->set_currency(std::string(variant.price.currency.code()));
    if (variant.compare_at_price) line->set_compare_at_price(*variant.compare_at_price);
    line->set_fulfillment_type(variant.fulfillment == FulfillmentType::kDigital
                                   ? common::FULFILLMENT_TYPE_DIGITAL
                                   : common::FULFILLMENT_TYPE_PHYSICAL);
    line->set_status(std::string(Word(variant.status)));
  }
  event.set_version(product.version);
  event.set_vendor_id(product.vendor_id);
  auto& facets = *event.mutable_facets();
  facets.mutable_attributes()->insert(product.attributes.begin(), product.attributes.end());
  facets.mutable_categories()->Assign(product.categories.begin(), product.categories.end());
  return events::MakeRow(event, product.version, product.updated_at, context);
}

}  // namespace bv::product
