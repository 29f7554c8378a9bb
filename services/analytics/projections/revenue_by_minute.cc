#include "services/analytics/projections/revenue_by_minute.h"

#include "libs/base/macros.h"
#include "services/analytics/projections/revenue.h"

namespace bv::analytics {
namespace {

using projections::Change;
using projections::Event;
using projections::Kind;

absl::StatusOr<std::vector<Change>> ChangesOf(const Event& event) {
  ASSIGN_OR_RETURN(const std::optional<Revenue> revenue, RevenueOf(event));
  if (!revenue) return std::vector<Change>();
  const absl::Time minute =
      absl::FromUnixSeconds(absl::ToUnixSeconds(event.envelope.occurred_at()) / 60 * 60);
  return std::vector<Change>{
      {event.tenant, {minute, std::string(revenue->currency.code())}, AddOf(*revenue)}};
}

}  // namespace

projections::Projection RevenueByMinute() {
  return {.name = "revenue_by_minute",
          .version = 1,
          .topics = {RevenueTopic()},
          .shape = {.key = {{"minute", Kind::kTime}, {"currency", Kind::kText}}, .sums = RevenueSums()},
          .changes = ChangesOf};
}

}  // namespace bv::analytics
