#include "services/order/domain/words.h"

#include <algorithm>
#include <array>

namespace bv::order {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, 4> kStatus{"PENDING", "PAID", "FULFILLED", "CANCELED"};
constexpr std::array<std::string_view, 5> kPaymentStatus{"PENDING", "PAID", "FAILED", "REFUNDED",
                                                         "DUE_ON_DELIVERY"};
constexpr std::array<std::string_view, 4> kFulfillmentStatus{"UNFULFILLED", "PARTIALLY_SHIPPED", "SHIPPED",
                                                             "DELIVERED"};
constexpr std::array<std::string_view, 3> kPaymentMethod{"CARD", "BANK_TRANSFER", "CASH_ON_DELIVERY"};
constexpr std::array<std::string_view, 3> kShipmentStatus{"PREPARING", "SHIPPED", "DELIVERED"};

template <class Enum, std::size_t N>
Enum Find(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  return found == words.end() ? Enum{} : static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view Word(Status status) {
  return kStatus[static_cast<std::size_t>(status)];
}
std::string_view Word(PaymentStatus status) {
  return kPaymentStatus[static_cast<std::size_t>(status)];
}
std::string_view Word(FulfillmentStatus status) {
  return kFulfillmentStatus[static_cast<std::size_t>(status)];
}
std::string_view Word(PaymentMethod method) {
  return kPaymentMethod[static_cast<std::size_t>(method)];
}
std::string_view Word(ShipmentStatus status) {
  return kShipmentStatus[static_cast<std::size_t>(status)];
}

Status StatusOf(std::string_view word) {
  return Find<Status>(kStatus, word);
}
PaymentStatus PaymentStatusOf(std::string_view word) {
  return Find<PaymentStatus>(kPaymentStatus, word);
}
FulfillmentStatus FulfillmentStatusOf(std::string_view word) {
  return Find<FulfillmentStatus>(kFulfillmentStatus, word);
}
PaymentMethod PaymentMethodOf(std::string_view word) {
  return Find<PaymentMethod>(kPaymentMethod, word);
}
ShipmentStatus ShipmentStatusOf(std::string_view word) {
  return Find<ShipmentStatus>(kShipmentStatus, word);
}

}  // namespace bv::order
