#include "libs/read_models/revenue_by_minute.h"

#include "libs/base/macros.h"
#include "libs/projections/row.h"
#include "libs/read_models/revenue.h"

namespace bv::read_models {
namespace {

using projections::Change;
using projections::Event;
using projections::Kind;
using projections::Row;

// In the key.
constexpr std::size_t kMinute = 0;
// A minute that is not forgotten when a comparison begins is there until it ends.
constexpr absl::Duration kComparedFor = absl::Hours(1);

absl::StatusOr<std::vector<Change>> ChangesOf(const Event& event) {
  ASSIGN_OR_RETURN(const std::optional<Revenue> revenue, RevenueOf(event));
  if (!revenue) return std::vector<Change>();
  const absl::Time minute =
      absl::FromUnixSeconds(absl::ToUnixSeconds(event.envelope.occurred_at()) / 60 * 60);
  return std::vector<Change>{
      {event.tenant, {minute, std::string(revenue->currency.code())}, AddOf(*revenue)}};
}

}  // namespace

projections::Projection RevenueByMinute(absl::Duration keep) {
  const auto forgotten = [keep](const Row& row, absl::Time now) {
    return std::get<absl::Time>(row.key[kMinute]) < now - keep + kComparedFor;
  };
  return {.name = "revenue_by_minute",
          .version = 1,
          .topics = {RevenueTopic()},
          .shape = {.key = {{"minute", Kind::kTime}, {"currency", Kind::kText}}, .sums = RevenueSums()},
          .changes = ChangesOf,
          .forgotten = forgotten};
}

}  // namespace bv::read_models
