#include "libs/read_models/daily_revenue.h"

#include "libs/base/macros.h"
#include "libs/read_models/revenue.h"

namespace bv::read_models {

using projections::Change;
using projections::Event;
using projections::Kind;

projections::Projection DailyRevenue(TimeZones zones) {
  const auto changes = [zones = std::move(zones)](const Event& event) -> absl::StatusOr<std::vector<Change>> {
    ASSIGN_OR_RETURN(const std::optional<Revenue> revenue, RevenueOf(event));
    if (!revenue) return std::vector<Change>();
    const absl::CivilDay day = absl::ToCivilDay(event.envelope.occurred_at(), zones.Of(event.tenant));
    return std::vector<Change>{{event.tenant, {day, std::string(revenue->currency.code())}, AddOf(*revenue)}};
  };
  return {.name = "daily_revenue",
          .version = 1,
          .topics = {RevenueTopic()},
          .shape = {.key = {{"day", Kind::kDay}, {"currency", Kind::kText}}, .sums = RevenueSums()},
          .changes = changes};
}

}  // namespace bv::read_models
