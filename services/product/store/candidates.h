// The read that every order and cart waits for.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/product/domain/offer.h"

namespace bv::product {

// For each reference the variants that it may mean, as Choose wants them, with their prices at `at`, by
// default now; one round trip for all. INVALID_ARGUMENT, field `at`, when that is more than kPriceTimeMax
// from now. Throws what libpqxx throws.
absl::StatusOr<std::vector<std::vector<Candidate>>> FindCandidates(postgres::Session& session,
                                                                   const TenantId& tenant,
                                                                   const std::vector<VariantRef>& refs,
                                                                   std::optional<absl::Time> at);

}  // namespace bv::product
