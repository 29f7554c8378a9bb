// In which time zone the days of a tenant begin. Pure and thread safe.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <vector>

#include "libs/base/values.h"

namespace bv::read_models {

class TimeZones {
 public:
  // `fallback` and each "<tenant>=<zone>" of `exceptions` name zones of the IANA database, for example
  // "Europe/Berlin". INVALID_ARGUMENT names the one that is not known.
  static absl::StatusOr<TimeZones> Create(const std::string& fallback,
                                          const std::vector<std::string>& exceptions);

  absl::TimeZone Of(const TenantId& tenant) const;

 private:
  absl::TimeZone fallback_;
  absl::flat_hash_map<TenantId, absl::TimeZone> exceptions_;
};

}  // namespace bv::read_models
