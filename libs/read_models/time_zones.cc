#include "libs/read_models/time_zones.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::read_models {
namespace {

absl::StatusOr<absl::TimeZone> Load(const std::string& name, std::string_view field) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(name, &zone))
    return InvalidValue(field, Concat("\"", name, "\" is no time zone of the IANA database"));
  return zone;
}

}  // namespace

absl::StatusOr<TimeZones> TimeZones::Create(const std::string& fallback,
                                            const std::vector<std::string>& exceptions) {
  TimeZones zones;
  ASSIGN_OR_RETURN(zones.fallback_, Load(fallback, "analytics.time_zone"));
  for (const std::string& exception : exceptions) {
    const std::size_t at = exception.find('=');
    if (at == std::string::npos)
      return InvalidValue("analytics.time_zones", Concat("\"", exception, "\" must be <tenant>=<zone>"));
    ASSIGN_OR_RETURN(const TenantId tenant, TenantId::Parse(exception.substr(0, at), "analytics.time_zones"));
    ASSIGN_OR_RETURN(const absl::TimeZone zone, Load(exception.substr(at + 1), "analytics.time_zones"));
    zones.exceptions_[tenant] = zone;
  }
  return zones;
}

absl::TimeZone TimeZones::Of(const TenantId& tenant) const {
  const auto found = exceptions_.find(tenant);
  return found == exceptions_.end() ? fallback_ : found->second;
}

}  // namespace bv::read_models
