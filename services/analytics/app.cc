#include "services/analytics/app.h"

#include "libs/base/macros.h"

namespace bv::analytics {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  kafka.Bind(b);
  read_models.Bind(b);
  live.Bind(b);
}

absl::Status App::Start() {
  const read_models::Settings& models = settings_.read_models;
  ASSIGN_OR_RETURN(const read_models::TimeZones zones, models.Zones());
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/analytics",
                                    absl::Now() + settings_.migrate_timeout));
  sink_ = std::make_unique<projections::PostgresSink>(settings_.connection, std::nullopt);
  std::vector<projections::Route> routes;
  for (projections::Projection& projection : read_models::AllProjections(zones, models.minutes_keep)) {
    RETURN_IF_ERROR(sink_->Register(projection));
    routes.push_back({std::move(projection), sink_.get()});
  }
  runner_ = std::make_unique<projections::Runner>(settings_.kafka, kGroup, std::move(routes));
  // What it reads it finds by keys, whatever the planner thinks of the tables.
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool, postgres::Plans::kIndexOnly);
  live_ = std::make_unique<LiveRevenue>(host_.io(), *pool_, *runner_, settings_.live, models.minutes_keep);
  rpc_ = std::make_unique<AnalyticsRpc>(*pool_, *live_, zones);
  rpc_->Serve(host_.rpc());
  RETURN_IF_ERROR(runner_->Start());
  live_->Start();
  return absl::OkStatus();
}

void App::Stop() {
  if (live_) live_->Stop();
  if (runner_) runner_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::analytics
