#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "libs/postgres/postgres.h"
#include "libs/projections/projection.h"
#include "libs/read_models/read_models.h"
#include "libs/service/service.h"
#include "services/replay/driver/driver.h"
#include "services/replay/rpc/replay_rpc.h"

namespace bv::replay {

class App {
 public:
  static constexpr std::string_view kName = "replay";

  struct Settings {
    DriverSettings driver;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    read_models::Settings read_models;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::vector<projections::Projection> projections_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<ReplayRpc> rpc_;
  std::unique_ptr<Driver> driver_;
};

}  // namespace bv::replay
