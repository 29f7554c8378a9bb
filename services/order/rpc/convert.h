// protobuf ↔ domain, with the names of the API in the errors.
#pragma once

#include <vector>

#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "services/order/domain/order.h"

namespace bv::order {

// Without the items when the request names a cart.
absl::StatusOr<Draft> FromProto(const commerce::order::v1::CreateOrderRequest& request);
commerce::product::v1::ResolveVariantsRequest ToResolveRequest(const std::vector<WantedItem>& items);
// One for each wanted item; INTERNAL when the answer has another number of them.
absl::StatusOr<std::vector<PricedItem>> FromProto(
    const commerce::product::v1::ResolveVariantsResponse& response, std::size_t wanted);
commerce::order::v1::Order ToProto(const Order& order);

}  // namespace bv::order
