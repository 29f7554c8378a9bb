#include "services/cart/expiry/sweeper.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_future.hpp>

#include "libs/base/macros.h"
#include "services/cart/store/cart_rows.h"

namespace bv::cart {
namespace {

namespace asio = boost::asio;

constexpr int kTenantsPage = 500;
// Of one transaction, with its wait for a connection.
constexpr absl::Duration kBatchTimeout = absl::Seconds(30);

}  // namespace

void SweeperSettings::Bind(config::Binder& b) {
  b.Duration("cart.sweep_interval", interval, {absl::Milliseconds(100), absl::Hours(24)});
  b.Integer("cart.sweep_batch", batch, {1, 10'000});
}

Sweeper::Sweeper(asio::io_context& io, postgres::Pool& pool, const SweeperSettings& settings)
    : pool_(pool),
      settings_(settings),
      strand_(asio::make_strand(io)),
      timer_(strand_),
      deleted_(telemetry::Counter("cart_expired_total", "Expired carts that were deleted.")) {}

void Sweeper::Start() {
  ended_ = asio::co_spawn(strand_, Run(), asio::use_future);
}

void Sweeper::Stop() {
  if (!ended_.valid()) return;
  stop_.request_stop();
  asio::post(strand_, asio::use_future([this] { timer_.cancel(); })).wait();
  ended_.wait();
}

async::Task<void> Sweeper::Run() {
  while (!stop_.stop_requested()) {
    timer_.expires_after(absl::ToChronoNanoseconds(settings_.interval));
    boost::system::error_code cancelled;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled || stop_.stop_requested()) co_return;
    const absl::StatusOr<std::int64_t> deleted = co_await Sweep();
    if (!deleted.ok()) {
      telemetry::Log(telemetry::Level::kWarn, "expired carts were not all deleted",
                     {{"error", deleted.status()}});
    } else if (*deleted > 0) {
      telemetry::Log(telemetry::Level::kInfo, "expired carts deleted", {{"carts", *deleted}});
    }
  }
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
  context.stop = stop_.get_token();
  return context;
}

}  // namespace bv::cart
