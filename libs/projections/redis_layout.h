// Inside libs/projections: how the rows of a projection stand in Redis.
//
// The first column of the key makes the Redis key, a hash: "<projection>:<tenant>:<first column>". What is
// left of the key begins the names of the row's fields, so that the rows of one product stand together:
//
//   order_status:acme:ord_1    "order@" 3  "order.status" PAID
//   inventory:acme:prd_1       "STOVE-EMBER/main/stock@" 17  "STOVE-EMBER/main/stock.on_hand" 5
//
// "<facet>@" is the facet's version. A facet that was removed has it and no values.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "libs/projections/projection.h"

namespace bv::projections {

struct RedisPlace {
  std::string key;
  // In front of the names of the row's fields: "" or "STOVE-EMBER/main/".
  std::string row;
};

RedisPlace PlaceOf(const Projection& projection, const TenantId& tenant, const std::vector<Value>& key);
std::string RedisKeyOf(const Projection& projection, const TenantId& tenant, const Value& first_of_key);

std::string VersionField(const std::string& row, const Facet& facet);
std::string ColumnField(const std::string& row, const Facet& facet, const Column& column);

std::string ToText(const Value& value);
// INTERNAL for what ToText has not written.
absl::StatusOr<Value> FromText(Kind kind, std::string_view text);

// The columns of the key behind the first one, from what stands in front of a field's name. INTERNAL for what
// PlaceOf has not made.
absl::StatusOr<std::vector<Value>> RestOfKey(const Shape& shape, std::string_view row);

}  // namespace bv::projections
