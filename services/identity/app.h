#pragma once

#include <memory>
#include <string_view>

#include "libs/service/job.h"
#include "libs/service/service.h"
#include "services/identity/rpc/revocation_rpc.h"
#include "services/identity/rpc/staff_rpc.h"
#include "services/identity/rpc/store_rpc.h"

namespace bv::identity {

class App {
 public:
  static constexpr std::string_view kName = "identity";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    StaffLimits staff;
    int stores_max = 0;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<RevocationRpc> revocation_rpc_;
  std::unique_ptr<StaffRpc> staff_rpc_;
  std::unique_ptr<StoreRpc> store_rpc_;
  std::unique_ptr<service::Job> forget_;
};

}  // namespace bv::identity
