// The read that every order and cart waits for.
#pragma once

#include <vector>

#include "libs/postgres/postgres.h"
#include "services/product/domain/offer.h"

namespace bv::product {

// For each reference the variants that it may mean, as Choose wants them; one round trip for all. Throws what
// libpqxx throws.
std::vector<std::vector<Candidate>> FindCandidates(postgres::Session& session, const TenantId& tenant,
                                                   const std::vector<VariantRef>& refs);

}  // namespace bv::product
