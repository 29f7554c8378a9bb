#include "services/replay/app.h"

#include "libs/base/macros.h"

namespace bv::replay {

void App::Settings::Bind(config::Binder& b) {
  driver.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  read_models.Bind(b);
}

absl::Status App::Start() {
  const DriverSettings& driving = settings_.driver;
  ASSIGN_OR_RETURN(const read_models::TimeZones zones, settings_.read_models.Zones());
  projections_ = read_models::AllProjections(zones, settings_.read_models.minutes_keep);
  RETURN_IF_ERROR(postgres::Migrate(driving.connection, host_.home() + "/migrations/replay",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(driving.connection, settings_.pool, postgres::Plans::kIndexOnly);
  rpc_ = std::make_unique<ReplayRpc>(*pool_, driving.read_models, driving.rebuild.kafka, projections_);
  rpc_->Serve(host_.rpc());
  driver_ = std::make_unique<Driver>(driving, projections_);
  driver_->Start();
  return absl::OkStatus();
}

void App::Stop() {
  if (driver_) driver_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::replay
