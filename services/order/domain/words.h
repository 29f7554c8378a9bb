// The words for states in rows and events; the same as the API's.
#pragma once

#include <string_view>

#include "services/order/domain/order.h"

namespace bv::order {

std::string_view Word(Status status);
std::string_view Word(PaymentStatus status);
std::string_view Word(FulfillmentStatus status);
std::string_view Word(PaymentMethod method);
std::string_view Word(ShipmentStatus status);

// The inverse, for rows of the own database; the first value for a word that is none.
Status StatusOf(std::string_view word);
PaymentStatus PaymentStatusOf(std::string_view word);
FulfillmentStatus FulfillmentStatusOf(std::string_view word);
PaymentMethod PaymentMethodOf(std::string_view word);
ShipmentStatus ShipmentStatusOf(std::string_view word);

}  // namespace bv::order
