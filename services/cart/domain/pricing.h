// What a cart costs by the catalogue's prices; pure.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <vector>

#include "libs/base/money.h"
#include "services/cart/domain/cart.h"

namespace bv::cart {

// What the catalogue says of a SKU that it has.
struct Offer {
  ProductId product;
  std::string title;
  // Without it the item is not sold, and has no price.
  bool sold = false;
  // One piece.
  Money price;
};
using Offers = std::map<SkuCode, Offer>;

struct PricedItem {
  Item item;
  Offer offer;
  // price · qty, in minor units; 0 for an item that is not sold.
  std::int64_t amount = 0;
};

struct PricedCart {
  Cart cart;
  // One for each item of the cart, in its order.
  std::vector<PricedItem> items;
  // Of the items that are sold, in the currency of the first of them. Without currency when none is.
  Money total;
};

// A SKU that `offers` does not have is not sold. INVALID_ARGUMENT, reason AMOUNT_TOO_LARGE, when the total
// leaves int64, which prices and quantities within their limits never do.
absl::StatusOr<PricedCart> Price(Cart cart, const Offers& offers);

}  // namespace bv::cart
