// What inventory answers about the holds of items, in their rows.
#pragma once

#include <absl/status/statusor.h>

#include <vector>

#include "libs/postgres/postgres.h"
#include "services/cart/domain/cart.h"

namespace bv::cart {

struct AnswerForItem {
  TenantId tenant;
  CartId cart;
  SkuCode sku;
  HoldAnswer answer;
};

// Applies the answers in their order, inside a transaction of `session` that sees their tenants; those for
// items that are no longer there, or were changed since, are passed over. Throws what libpqxx throws.
void StoreAnswers(postgres::Session& session, const std::vector<AnswerForItem>& answers);

}  // namespace bv::cart
