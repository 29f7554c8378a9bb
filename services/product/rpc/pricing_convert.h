// protobuf ↔ domain for overrides and flash sales, with the names of the API in the errors.
#pragma once

#include <absl/status/statusor.h>

#include "commerce/pricing/v1/service.pb.h"
#include "services/product/domain/flash_sale.h"
#include "services/product/store/sale_rows.h"

namespace bv::product {

absl::StatusOr<PriceOverride> FromProto(const commerce::pricing::v1::SetPriceOverrideRequest& request);
// With a new id.
absl::StatusOr<FlashSale> FromProto(const commerce::pricing::v1::CreateFlashSaleRequest& request);
// limit is the size of the page.
absl::StatusOr<SaleFilter> FromProto(const commerce::pricing::v1::ListFlashSalesRequest& request);

commerce::pricing::v1::PriceOverride ToProto(const PriceOverride& shown);
commerce::pricing::v1::FlashSale ToProto(const SaleSeen& seen);
// Names `last` as the last sale of its page.
std::string ToPageToken(const FlashSaleId& last);

}  // namespace bv::product
