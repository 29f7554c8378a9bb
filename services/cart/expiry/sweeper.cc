#include "services/cart/expiry/sweeper.h"

#include "libs/base/macros.h"
#include "services/cart/store/cart_rows.h"

namespace bv::cart {
namespace {

constexpr int kTenantsPage = 500;
// Of one transaction, with its wait for a connection.
constexpr absl::Duration kBatchTimeout = absl::Seconds(30);

}  // namespace

void SweeperSettings::Bind(config::Binder& b) {
  b.Duration("cart.sweep_interval", interval, {absl::Milliseconds(100), absl::Hours(24)});
  b.Integer("cart.sweep_batch", batch, {1, 10'000});
}

Sweeper::Sweeper(boost::asio::io_context& io, postgres::Pool& pool, const SweeperSettings& settings)
    : pool_(pool),
      settings_(settings),
      deleted_(telemetry::Counter("cart_expired_total", "Expired carts that were deleted.")),
      job_(io, "expired carts", settings.interval, [this](std::stop_token) { return Round(); }) {}

async::Task<absl::StatusOr<bool>> Sweeper::Round() {
  CO_ASSIGN_OR_RETURN(const std::int64_t deleted, co_await Sweep());
  if (deleted > 0) telemetry::Log(telemetry::Level::kInfo, "expired carts deleted", {{"carts", deleted}});
  co_return false;
}

async::Task<absl::StatusOr<std::int64_t>> Sweeper::Sweep() {
  std::int64_t deleted = 0;
  TenantId last;
  while (true) {
    using Tenants = std::vector<TenantId>;
    std::function<absl::StatusOr<Tenants>(postgres::Session&)> list =
        [last](postgres::Session& session) -> absl::StatusOr<Tenants> {
      return ListTenants(session, last, kTenantsPage);
    };
    const RequestContext context = ContextOf(TenantId());
    CO_ASSIGN_OR_RETURN(const Tenants tenants, co_await pool_.Read<Tenants>(context, std::move(list)));
    if (tenants.empty()) co_return deleted;
    for (const TenantId& tenant : tenants) {
      CO_ASSIGN_OR_RETURN(const std::int64_t of_tenant, co_await SweepTenant(tenant));
      deleted += of_tenant;
    }
    last = tenants.back();
  }
}

async::Task<absl::StatusOr<std::int64_t>> Sweeper::SweepTenant(TenantId tenant) {
  std::int64_t deleted = 0;
  while (true) {
    std::function<absl::StatusOr<int>(postgres::Session&)> remove =
        [&](postgres::Session& session) -> absl::StatusOr<int> {
      return DeleteExpired(session, tenant, settings_.batch);
    };
    const RequestContext context = ContextOf(tenant);
    CO_ASSIGN_OR_RETURN(const int batch, co_await pool_.Transact<int>(context, std::move(remove)));
    deleted_.Increment(batch);
    deleted += batch;
    if (batch < settings_.batch) co_return deleted;
  }
}

RequestContext Sweeper::ContextOf(const TenantId& tenant) const {
  RequestContext context;
  context.tenant = tenant;
  context.deadline = absl::Now() + kBatchTimeout;
  context.stop = job_.stop_token();
  return context;
}

}  // namespace bv::cart
