#include "services/cart/domain/pricing.h"

#include "libs/base/macros.h"

namespace bv::cart {

absl::StatusOr<PricedCart> Price(Cart cart, const Offers& offers) {
  PricedCart priced;
  Money& total = priced.total;
  for (const Item& item : cart.items) {
    PricedItem line{.item = item};
    if (const auto offer = offers.find(item.sku); offer != offers.end()) line.offer = offer->second;
    if (line.offer.sold) {
      ASSIGN_OR_RETURN(line.amount, MultiplyAmount(line.offer.price.minor_units, item.qty));
      if (total.currency.empty()) total.currency = line.offer.price.currency;
      if (line.offer.price.currency == total.currency) {
        ASSIGN_OR_RETURN(total.minor_units, AddAmounts(total.minor_units, line.amount));
      }
    }
    priced.items.push_back(std::move(line));
  }
  priced.cart = std::move(cart);
  return priced;
}

}  // namespace bv::cart
