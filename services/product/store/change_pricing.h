// The transactions that change what lies over the catalogue's prices: rows and events together. None waits
// for another change of the product: ABORTED, reason PRODUCT_BUSY, and nothing was changed. They throw what
// libpqxx throws, and are rolled back by an error.
#pragma once

#include <absl/status/statusor.h>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/product/domain/flash_sale.h"
#include "services/product/store/sale_rows.h"

namespace bv::product {

absl::Status FlashSaleNotFound();

// `wanted` names SKU, price and end; holds from now on. NOT_FOUND, reason SKU_NOT_FOUND; and what
// CheckOverride refuses.
absl::StatusOr<PriceOverride> SetOverride(postgres::Session& session, const RequestContext& context,
                                          PriceOverride wanted);
// Returns the override with its end, which is now. NOT_FOUND, reason SKU_NOT_FOUND or
// PRICE_OVERRIDE_NOT_FOUND.
absl::StatusOr<PriceOverride> RemoveOverride(postgres::Session& session, const RequestContext& context,
                                             const SkuCode& sku);

// NOT_FOUND, reason PRODUCT_NOT_FOUND; FAILED_PRECONDITION, reason SALE_OVERLAPS; and what Schedule refuses.
// Before that without changing anything: whether CreateSale would take it now, as far as can be known.
absl::Status CheckSale(postgres::Session& session, const TenantId& tenant, FlashSale wanted);
absl::StatusOr<SaleSeen> CreateSale(postgres::Session& session, const RequestContext& context,
                                    FlashSale wanted);
// NOT_FOUND, reason FLASH_SALE_NOT_FOUND; and what Cancel refuses.
absl::StatusOr<SaleSeen> CancelSale(postgres::Session& session, const RequestContext& context,
                                    const FlashSaleId& id);

// Takes in that a limited sale is sold out, or is not any more: the prices of its product change. False, and
// nothing is written, when that is no news.
absl::StatusOr<bool> TurnSale(postgres::Session& session, const RequestContext& context,
                              const QuotaTurn& turn);

// Makes known what has come to pass with the product's prices by time. False, and nothing is written, when
// there is nothing, or another change is under way, which does it.
absl::StatusOr<bool> AnnounceDue(postgres::Session& session, const RequestContext& context,
                                 const ProductId& product);

}  // namespace bv::product
