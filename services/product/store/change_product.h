// The transactions that change products: rows and event together. Both throw what libpqxx throws, and are
// rolled back by an error.
#pragma once

#include <absl/status/statusor.h>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/product/domain/product.h"

namespace bv::product {

// Stores a new product that has passed CheckNew. ALREADY_EXISTS, reason SKU_TAKEN.
absl::StatusOr<Product> CreateProduct(postgres::Session& session, const RequestContext& context,
                                      Product product);

// NOT_FOUND, reason PRODUCT_NOT_FOUND; ALREADY_EXISTS, reason SKU_TAKEN; and what Revise refuses. A change
// that changes nothing writes nothing.
absl::StatusOr<Product> ChangeProduct(postgres::Session& session, const RequestContext& context,
                                      const ProductId& id, const ProductChange& change);

absl::Status ProductNotFound();

}  // namespace bv::product
