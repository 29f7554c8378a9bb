// The rows of overrides and of prices over time. Everything here runs inside a transaction or read of
// `session`, and throws what libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <map>
#include <optional>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/product/domain/flash_sale.h"
#include "services/product/domain/pricing.h"

namespace bv::product {

using Periods = std::map<VariantId, std::vector<PricePeriod>>;

// Of every variant of the product: those that end at `since` or later, or not at all.
Periods ReadPeriods(postgres::Session& session, const TenantId& tenant, const Product& product,
                    absl::Time since);

std::optional<ProductId> FindProductOf(postgres::Session& session, const TenantId& tenant,
                                       const SkuCode& sku);

// Ends the override that the variant has at `at`, if any, and returns it as it was; its end is then
// announced.
std::optional<PriceOverride> EndOverride(postgres::Session& session, const TenantId& tenant,
                                         const VariantId& variant, absl::Time at);
void InsertOverride(postgres::Session& session, const TenantId& tenant, const PriceOverride& added,
                    const std::string& actor);

}  // namespace bv::product
