#pragma once

#include <memory>
#include <string>

#include "libs/postgres/lane.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "libs/service/service.h"
#include "services/inventory/rpc/inventory_rpc.h"

namespace bv::inventory {

class App {
 public:
  static constexpr std::string_view kName = "inventory";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    postgres::LaneSettings lanes;
    absl::Duration migrate_timeout;
    std::string product_address;
    rpc::PeerSettings peer;
    absl::Duration hold_ttl;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<StockLanes> lanes_;
  std::unique_ptr<rpc::Client<commerce::product::v1::Products>> products_;
  std::unique_ptr<InventoryRpc> rpc_;
};

}  // namespace bv::inventory
