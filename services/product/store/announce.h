// What a change of a product makes known.
#pragma once

#include <absl/status/status.h>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/product/domain/product.h"

namespace bv::product {

// Writes the events of `product`'s newest version, which begins at its updated_at: the product itself, and
// all that has come to pass with its prices until then and was not announced before, in the order of the
// times. In the transaction of the change, after its other rows. Throws what libpqxx throws.
absl::Status Announce(postgres::Session& session, const RequestContext& context, const Product& product);

}  // namespace bv::product
