#include "services/analytics/live/live_revenue.h"

#include "libs/base/macros.h"
#include "services/analytics/store/revenue_rows.h"

namespace bv::analytics {
namespace {

constexpr int kDeletedAtOnce = 5'000;
// Of one transaction, with its wait for a connection.
constexpr absl::Duration kRoundTimeout = absl::Seconds(10);

absl::Time MinuteOf(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time) / 60 * 60);
}

}  // namespace

void LiveSettings::Bind(config::Binder& b) {
  b.Duration("analytics.live_lateness", allowed_lateness, {absl::Seconds(1), absl::Hours(1)});
  b.Duration("analytics.live_interval", interval, {absl::Milliseconds(100), absl::Minutes(5)});
  b.Duration("analytics.live_metric_window", metric_window, {absl::Minutes(1), absl::Hours(1)});
}

LiveRevenue::LiveRevenue(boost::asio::io_context& io, postgres::Pool& pool, const projections::Runner& runner,
                         const LiveSettings& settings, absl::Duration keep)
    : pool_(pool),
      runner_(runner),
      settings_(settings),
      keep_(keep),
      job_(io, "live revenue", settings.interval, [this](std::stop_token) { return Round(absl::Now()); }) {}

std::optional<absl::Time> LiveRevenue::Watermark() const {
  const absl::Time read = runner_.caught_up_lately() ? absl::Now() : runner_.newest_occurred_at();
  if (read == absl::InfinitePast()) return std::nullopt;
  return read - settings_.allowed_lateness;
}

async::Task<absl::StatusOr<bool>> LiveRevenue::Round(absl::Time now) {
  using Net = std::map<std::string, double>;
  RequestContext everyone;
  everyone.tenant = postgres::EveryTenant();
  everyone.deadline = absl::Now() + kRoundTimeout;
  everyone.stop = job_.stop_token();
  const absl::Time last = MinuteOf(now);
  std::function<absl::StatusOr<Net>(postgres::Session&)> sum =
      [&](postgres::Session& session) -> absl::StatusOr<Net> {
    return SumMinutes(session, last - settings_.metric_window, last);
  };
  CO_ASSIGN_OR_RETURN(const Net net, co_await pool_.Read<Net>(everyone, std::move(sum)));
  Show(net);
  std::function<absl::StatusOr<int>(postgres::Session&)> clean =
      [&](postgres::Session& session) -> absl::StatusOr<int> {
    return DeleteMinutes(session, now - keep_, kDeletedAtOnce);
  };
  CO_ASSIGN_OR_RETURN(const int deleted, co_await pool_.Transact<int>(everyone, std::move(clean)));
  co_return deleted == kDeletedAtOnce;
}

void LiveRevenue::Show(const std::map<std::string, double>& net) {
  for (const auto& [currency, amount] : net) {
    prometheus::Gauge*& gauge = shown_[currency];
    if (gauge == nullptr) {
      gauge = &telemetry::Gauge("analytics_live_revenue_minor_units",
                                "Paid less refunded in the last whole minutes, of all tenants.",
                                {{"currency", currency}});
    }
  }
  for (const auto& [currency, gauge] : shown_) {
    const auto found = net.find(currency);
    gauge->Set(found == net.end() ? 0 : found->second);
  }
}

}  // namespace bv::analytics
