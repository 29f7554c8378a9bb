// An address in its column, an array of texts.
#pragma once

#include <pqxx/pqxx>
#include <string>

#include "services/order/domain/order.h"

namespace bv::order {

// The column shipping_address, in the order that the migration names.
std::string AddressColumn(const Address& address);
// Of its eight texts, selected one by one from `first` on.
Address AddressOf(const pqxx::row& row, int first);

}  // namespace bv::order
