#include "services/order/store/address_column.h"

#include <vector>

#include "libs/postgres/postgres.h"

namespace bv::order {

std::string AddressColumn(const Address& a) {
  return postgres::ArrayLiteral(std::vector<std::string>{a.name, a.line1, a.line2, a.city, a.region,
                                                         a.postal_code, a.country.str(),
                                                         a.phone ? a.phone->str() : ""});
}

Address AddressOf(const pqxx::row& row, int first) {
  const auto text = [&](int i) { return row[first + i].as<std::string>(); };
  Address address{.name = text(0),
                  .line1 = text(1),
                  .line2 = text(2),
                  .city = text(3),
                  .region = text(4),
                  .postal_code = text(5),
                  .country = CountryCode::Trusted(text(6))};
  if (!text(7).empty()) address.phone = Phone::Trusted(text(7));
  return address;
}

}  // namespace bv::order
