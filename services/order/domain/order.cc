#include "services/order/domain/order.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::order {
namespace {

absl::Status CheckOffer(const PricedItem& item, const std::string& field) {
  const auto refuse = [&field](std::string_view message) {
    return Error(absl::StatusCode::kInvalidArgument, "ITEM_NOT_SOLD", message, field);
  };
  switch (item.offer) {
    case Offer::kSellable:
      return absl::OkStatus();
    case Offer::kNotFound:
      return refuse("the catalogue has no such item");
    case Offer::kAmbiguous:
      return refuse("the product has several variants; name the sku");
    case Offer::kNotSold:
      return refuse("this item is not sold at the moment");
  }
  return refuse("this item is not sold");
}

}  // namespace

absl::Status CheckItems(const std::vector<WantedItem>& items) {
  if (items.empty() || items.size() > kItemsMax)
    return InvalidValue("items", Concat("must be 1 to ", kItemsMax, " items"));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].qty < 1 || items[i].qty > kQuantityMax) {
      return InvalidValue(Concat("items[", i, "].qty"), Concat("must be 1 to ", kQuantityMax));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Order> Place(OrderId id, const std::string& user_id, const Draft& draft,
                            const std::vector<PricedItem>& priced) {
  Order order{
      .id = std::move(id),
      .user_id = user_id,
      .store = draft.store,
      .payment_status = draft.payment_method == PaymentMethod::kCashOnDelivery ? PaymentStatus::kDueOnDelivery
                                                                               : PaymentStatus::kPending,
      .payment_method = draft.payment_method,
      .shipping_address = draft.shipping_address,
      .email = draft.email,
  };
  for (std::size_t i = 0; i < draft.items.size(); ++i) {
    const PricedItem& offer = priced[i];
    const std::string field = Concat("items[", i, "]");
    RETURN_IF_ERROR(CheckOffer(offer, field));
    if (order.total.currency.empty()) order.total.currency = draft.currency.value_or(offer.price.currency);
    if (offer.price.currency != order.total.currency) {
      return Error(absl::StatusCode::kInvalidArgument, "CURRENCY_MISMATCH",
                   Concat("is priced in ", offer.price.currency.code(), ", the order in ",
                          order.total.currency.code()),
                   field);
    }
    const std::int64_t qty = draft.items[i].qty;
    ASSIGN_OR_RETURN(const std::int64_t amount, MultiplyAmount(offer.price.minor_units, qty));
    ASSIGN_OR_RETURN(order.total.minor_units, AddAmounts(order.total.minor_units, amount));
    if (order.total.minor_units > kAmountMax) {
      return Error(absl::StatusCode::kInvalidArgument, "AMOUNT_TOO_LARGE", "the order's total is too large",
                   field);
    }
    const auto same = std::ranges::find(order.items, offer.sku, &Item::sku);
    if (same != order.items.end()) {
      same->qty += qty;
    } else {
      order.items.push_back({offer.product, offer.variant, offer.sku, offer.title, qty,
                             offer.price.minor_units, offer.vendor_id, offer.quota});
    }
  }
  return order;
}

}  // namespace bv::order
