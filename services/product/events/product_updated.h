#pragma once

#include <absl/status/statusor.h>

#include "libs/base/request_context.h"
#include "libs/events/outbox.h"
#include "services/product/domain/product.h"

namespace bv::product {

// ecommerce.product.product.updated.v1: the product as it is after a change, or newly made.
absl::StatusOr<events::OutboxRow> ProductUpdatedRow(const Product& product, const RequestContext& context);

}  // namespace bv::product
