// What people changed, as entries of the audit trail, in the transaction of the change. They throw what
// libpqxx throws.
#pragma once

#include <absl/status/status.h>

#include <optional>

#include "libs/base/request_context.h"
#include "services/product/store/sale_rows.h"

namespace bv::product {

// `before` is absent for a new one; so is `after` of an override that is removed.
absl::Status RecordProduct(postgres::Session& session, const RequestContext& context,
                           const std::optional<Product>& before, const Product& after);
absl::Status RecordOverride(postgres::Session& session, const RequestContext& context, const SkuCode& sku,
                            const std::optional<PriceOverride>& before,
                            const std::optional<PriceOverride>& after);
absl::Status RecordSale(postgres::Session& session, const RequestContext& context,
                        const std::optional<SaleSeen>& before, const SaleSeen& after);

}  // namespace bv::product
