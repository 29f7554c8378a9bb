// What an order asks of inventory, and inventory's refusal in the customer's words.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "commerce/inventory/v1/service.pb.h"
#include "libs/base/request_context.h"
#include "services/order/domain/order.h"

namespace bv::order {

// A line for each item, in their order, and after them one for each quota that prices of items are limited
// by.
void AddLines(const Order& order, commerce::inventory::v1::ReserveRequest& request);

// The stock of an order under a key: the same for a repeat that comes after a crash, so that it finds the
// hold of the first. Without a key, when `key_hash` is empty, the order's id.
std::string ReservationIdOf(const Order& order, const std::string& key_hash, const std::string& request_hash,
                            const RequestContext& context);

// Inventory names the line of its request ("lines[1].qty"); the customer asked for items. A quota that has
// not enough left is FAILED_PRECONDITION, reason FLASH_SALE_SOLD_OUT.
absl::Status InTermsOfItems(const absl::Status& status, const Order& order, const Draft& draft);

}  // namespace bv::order
