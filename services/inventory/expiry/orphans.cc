#include "services/inventory/expiry/orphans.h"

#include <absl/container/flat_hash_set.h>

#include <map>

#include "libs/async/all.h"
#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"
#include "services/inventory/expiry/context.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

namespace order = commerce::order::v1;

// What Orders.FindReservations takes at once.
constexpr int kHoldsMax = 1'000;
constexpr absl::Duration kCallTimeout = absl::Seconds(10);

}  // namespace

void OrphanSettings::Bind(config::Binder& b) {
  b.Duration("inventory.orphan_interval", interval, {absl::Milliseconds(100), absl::Hours(1)});
  b.Duration("inventory.orphan_grace", grace, {absl::Seconds(1), absl::Hours(1)});
}

Orphans::Orphans(boost::asio::io_context& io, postgres::Pool& pool, StockRoom& room, Orders& orders,
                 auth::ServiceTokens& tokens, const OrphanSettings& settings)
    : pool_(pool),
      room_(room),
      orders_(orders),
      tokens_(tokens),
      grace_(settings.grace),
      checked_until_(absl::UnixEpoch()),
      released_(telemetry::Counter("inventory_orphans_released_total",
                                   "Holds that were given back because no order came of them.")),
      job_(io, "orphans", settings.interval, [this](std::stop_token) { return Round(); }) {}

async::Task<absl::StatusOr<bool>> Orphans::Round() {
  using Holds = std::vector<FoundHold>;
  std::function<absl::StatusOr<Holds>(postgres::Session&)> find =
      [this](postgres::Session& session) -> absl::StatusOr<Holds> {
    return FindHoldsForOrders(session, checked_until_, grace_, kHoldsMax);
  };
  const RequestContext everyone = JobContext(postgres::EveryTenant(), job_.stop_token());
  CO_ASSIGN_OR_RETURN(const Holds found, co_await pool_.Read<Holds>(everyone, std::move(find)));
  if (found.empty()) co_return false;
  std::map<TenantId, Holds> by_tenant;
  for (const FoundHold& hold : found) by_tenant[hold.tenant].push_back(hold);
  for (const auto& [tenant, holds] : by_tenant) CO_RETURN_IF_ERROR(co_await CheckTenant(tenant, holds));
  // A full page may end among holds of one moment, of which the next page must have the rest.
  const bool full = static_cast<int>(found.size()) == kHoldsMax;
  checked_until_ = full ? std::max(checked_until_, found.back().created_at - absl::Microseconds(1))
                        : found.back().created_at;
  co_return full;
}

async::Task<absl::Status> Orphans::CheckTenant(const TenantId& tenant, const std::vector<FoundHold>& holds) {
  order::FindReservationsRequest request;
  for (const FoundHold& hold : holds) request.add_reservation_ids(hold.reservation_id);
  const RequestContext context =
      tokens_.ContextFor(tenant, absl::Now() + kCallTimeout, JobContext(tenant, job_.stop_token()));
  CO_ASSIGN_OR_RETURN(const order::FindReservationsResponse known,
                      co_await orders_.Call(&rpc::Async<order::Orders>::FindReservations, request, context));
  const absl::flat_hash_set<std::string> with_order(known.reservation_ids().begin(),
                                                    known.reservation_ids().end());
  std::vector<async::Task<absl::StatusOr<Outcome>>> releases;
  for (const FoundHold& hold : holds) {
    if (with_order.contains(hold.reservation_id)) continue;
    ReleaseCommand command{.reservation_id = hold.reservation_id};
    releases.push_back(room_.Submit(std::move(command), context));
  }
  absl::Status failed;
  for (const absl::StatusOr<Outcome>& outcome : co_await async::All(std::move(releases))) {
    failed.Update(outcome.status());
    if (!outcome.ok()) continue;
    released_.Increment();
    telemetry::Log(telemetry::Level::kWarn, context, "a hold without an order was given back",
                   {{"reservationId", outcome->reservation.reservation_id}});
  }
  co_return failed;
}

}  // namespace bv::inventory
