#include "services/inventory/expiry/expirer.h"

#include "libs/async/all.h"
#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"
#include "services/inventory/expiry/context.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

// Of one round: as many as fill the lanes, and few enough to be done in moments.
constexpr int kHoldsMax = 1'000;

}  // namespace

Expirer::Expirer(boost::asio::io_context& io, postgres::Pool& pool, StockRoom& room, absl::Duration interval)
    : pool_(pool),
      room_(room),
      expired_(telemetry::Counter("inventory_reservations_expired_total",
                                  "Holds whose time was over and whose stock was put back on sale.")),
      job_(io, "expiry", interval, [this](std::stop_token) { return Round(); }) {}

async::Task<absl::StatusOr<bool>> Expirer::Round() {
  using Holds = std::vector<FoundHold>;
  std::function<absl::StatusOr<Holds>(postgres::Session&)> find =
      [](postgres::Session& session) -> absl::StatusOr<Holds> { return FindExpired(session, kHoldsMax); };
  const RequestContext everyone = JobContext(postgres::EveryTenant(), job_.stop_token());
  CO_ASSIGN_OR_RETURN(const Holds due, co_await pool_.Read<Holds>(everyone, std::move(find)));
  std::vector<async::Task<absl::StatusOr<Outcome>>> tasks;
  for (const FoundHold& hold : due) {
    ExpireCommand command{.reservation_id = hold.reservation_id, .sku = hold.sku};
    tasks.push_back(room_.Submit(std::move(command), JobContext(hold.tenant, job_.stop_token())));
  }
  absl::Status failed;
  for (const absl::StatusOr<Outcome>& outcome : co_await async::All(std::move(tasks))) {
    if (!outcome.ok()) {
      failed.Update(outcome.status());
    } else if (outcome->reservation.state == ReservationState::kExpired) {
      expired_.Increment();
    }
  }
  CO_RETURN_IF_ERROR(failed);
  co_return static_cast<int>(due.size()) == kHoldsMax;
}

}  // namespace bv::inventory
