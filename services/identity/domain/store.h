// Where a tenant sells.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>

#include "libs/base/values.h"

namespace bv::identity {

struct Store {
  StoreCode code;
  std::string name;
  // ISO 4217; empty: no single one.
  std::string currency;
  CountryCode default_country;
  absl::Time created_at;
  std::optional<absl::Time> closed_at;

  // Whether whoever made `other` asked for this one.
  bool IsMadeAs(const Store& other) const {
    return code == other.code && name == other.name && currency == other.currency &&
           default_country == other.default_country;
  }
};

}  // namespace bv::identity
