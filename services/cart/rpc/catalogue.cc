#include "services/cart/rpc/catalogue.h"

#include "libs/base/macros.h"

namespace bv::cart {

namespace product = commerce::product::v1;

async::Task<absl::StatusOr<Offers>> Catalogue::Find(std::vector<SkuCode> skus,
                                                    const RequestContext& context) {
  Offers offers;
  if (skus.empty()) co_return offers;
  product::ResolveVariantsRequest request;
  for (const SkuCode& sku : skus) request.add_variants()->set_sku(sku.str());
  CO_ASSIGN_OR_RETURN(
      const product::ResolveVariantsResponse response,
      co_await products_.Call(&rpc::Async<product::Products>::ResolveVariants, request, context));
  if (static_cast<std::size_t>(response.variants_size()) != skus.size()) {
    co_return absl::InternalError("product resolved another number of variants than was asked for");
  }
  for (std::size_t i = 0; i < skus.size(); ++i) {
    const product::ResolvedVariant& variant = response.variants(static_cast<int>(i));
    if (variant.product_id().empty()) continue;
    Offer offer{.product = ProductId::Trusted(variant.product_id()), .title = variant.title()};
    offer.sold = variant.outcome() == product::ResolvedVariant::OUTCOME_SELLABLE;
    if (offer.sold) offer.price = {variant.price(), Currency::Trusted(variant.currency())};
    offers.emplace(skus[i], std::move(offer));
  }
  co_return offers;
}

}  // namespace bv::cart
