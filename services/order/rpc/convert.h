// protobuf ↔ domain, with the names of the API in the errors.
#pragma once

#include <vector>

#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "services/order/domain/order.h"
#include "services/order/domain/transitions.h"
#include "services/order/store/change_rows.h"

namespace bv::order {

// Without the items when the request names a cart.
absl::StatusOr<Draft> FromProto(const commerce::order::v1::CreateOrderRequest& request);
commerce::product::v1::ResolveVariantsRequest ToResolveRequest(const std::vector<WantedItem>& items);
// One for each wanted item; INTERNAL when the answer has another number of them.
absl::StatusOr<std::vector<PricedItem>> FromProto(
    const commerce::product::v1::ResolveVariantsResponse& response, std::size_t wanted);
commerce::order::v1::Order ToProto(const Order& order);
commerce::order::v1::OrderHistoryEntry ToProto(const HistoryEntry& entry);
absl::StatusOr<std::vector<WantedShipment>> FromProto(
    const commerce::order::v1::FulfillOrderRequest& request);
// NOT_FOUND, reason ORDER_NOT_FOUND, for what cannot be the id of an order.
absl::StatusOr<OrderId> OrderIdFromProto(const std::string& text);

}  // namespace bv::order
