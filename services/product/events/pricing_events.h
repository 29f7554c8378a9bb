#pragma once

#include <absl/status/statusor.h>

#include <map>

#include "libs/base/request_context.h"
#include "libs/events/outbox.h"
#include "services/product/domain/flash_sale.h"
#include "services/product/domain/pricing.h"

namespace bv::product {

// ecommerce.pricing.price.updated.v1: `variant` of `product` costs something else from price.valid_from on.
absl::StatusOr<events::OutboxRow> PriceUpdatedRow(const Product& product, const Variant& variant,
                                                  const EffectivePrice& price, const RequestContext& context);

// ecommerce.pricing.flash_sale.started.v1. `regular_prices` has those of the variants on sale, as they were
// at the start.
absl::StatusOr<events::OutboxRow> FlashSaleStartedRow(const Product& product, const FlashSale& sale,
                                                      const std::map<VariantId, Money>& regular_prices,
                                                      const RequestContext& context);

// ecommerce.pricing.flash_sale.ended.v1
absl::StatusOr<events::OutboxRow> FlashSaleEndedRow(const Product& product, const FlashSale& sale,
                                                    const RequestContext& context);

}  // namespace bv::product
