#pragma once

#include <memory>
#include <string>

#include "libs/auth/service_tokens.h"
#include "libs/kafka/consumer.h"
#include "libs/postgres/lane.h"
#include "libs/postgres/postgres.h"
#include "libs/projections/redis_eviction.h"
#include "libs/projections/redis_sink.h"
#include "libs/projections/runner.h"
#include "libs/redis/redis.h"
#include "libs/rpc/client.h"
#include "libs/service/service.h"
#include "services/inventory/events/device_deltas.h"
#include "services/inventory/events/hold_requests.h"
#include "services/inventory/expiry/expirer.h"
#include "services/inventory/expiry/orphans.h"
#include "services/inventory/rpc/catalogue.h"
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
    std::string order_address;
    rpc::PeerSettings peer;
    auth::ServiceTokenSettings tokens;
    absl::Duration hold_ttl;
    StockRoomSettings room;
    absl::Duration expiry_interval;
    OrphanSettings orphans;
    kafka::ConsumerSettings kafka;
    redis::Settings redis;
    projections::RedisSinkSettings cached_rows;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  async::Task<absl::StatusOr<ProductId>> FindProduct(RequestContext context, SkuCode sku);

  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  // For the search for expired holds, which is done so often that it must not become a scan.
  std::unique_ptr<postgres::Pool> expiry_pool_;
  std::unique_ptr<StockRoom> room_;
  std::unique_ptr<rpc::Client<commerce::product::v1::Products>> products_;
  std::unique_ptr<rpc::Client<commerce::order::v1::Orders>> orders_;
  std::unique_ptr<auth::ServiceTokens> tokens_;
  std::unique_ptr<Catalogue> catalogue_;
  std::unique_ptr<InventoryRpc> rpc_;
  std::unique_ptr<Expirer> expirer_;
  std::unique_ptr<Orphans> orphans_;
  std::unique_ptr<HoldRequests> hold_requests_;
  std::unique_ptr<DeviceDeltas> device_deltas_;
  std::unique_ptr<redis::Client> redis_;
  std::unique_ptr<projections::RedisSink> cached_rows_;
  std::unique_ptr<projections::RedisEviction> graphql_rows_;
  std::unique_ptr<projections::Runner> stock_cache_;
};

}  // namespace bv::inventory
