#pragma once

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"

namespace bv::analytics {

// Amounts in minor units.
struct RevenueRow {
  std::string currency;
  std::int64_t paid_amount = 0;
  std::int64_t paid_orders = 0;
  std::int64_t refunded_amount = 0;
  std::int64_t refunded_orders = 0;
};
struct DayRow {
  absl::CivilDay day;
  RevenueRow revenue;
};
struct MinuteRow {
  absl::Time minute;
  RevenueRow revenue;
};

// From `first` to `last`, oldest first, `limit` at most; of one currency, or of all when it is empty. Throw
// what libpqxx throws, as do the others.
std::vector<DayRow> ReadDays(postgres::Session& session, const TenantId& tenant, absl::CivilDay first,
                             absl::CivilDay last, const std::string& currency, int limit);
std::vector<MinuteRow> ReadMinutes(postgres::Session& session, const TenantId& tenant, absl::Time first,
                                   const std::string& currency, int limit);

// The two below need a session of postgres::EveryTenant().

// Paid less refunded of all tenants from `first` until before `last`, by currency.
std::map<std::string, double> SumMinutes(postgres::Session& session, absl::Time first, absl::Time last);
// Deletes minutes before `before`, of all versions, `limit` at most. Returns how many.
int DeleteMinutes(postgres::Session& session, absl::Time before, int limit);

}  // namespace bv::analytics
