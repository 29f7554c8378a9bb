#pragma once

#include <memory>
#include <string>

#include "libs/kafka/consumer.h"
#include "libs/policy/policy.h"
#include "libs/postgres/lane.h"
#include "libs/postgres/postgres.h"
#include "libs/projections/redis_sink.h"
#include "libs/projections/runner.h"
#include "libs/redis/redis.h"
#include "libs/rpc/client.h"
#include "libs/service/service.h"
#include "services/order/lifecycle.h"
#include "services/order/rpc/checkout.h"
#include "services/order/rpc/order_rpc.h"

namespace bv::order {

class App {
 public:
  static constexpr std::string_view kName = "order";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    postgres::LaneSettings lanes;
    absl::Duration migrate_timeout;
    std::string product_address;
    std::string inventory_address;
    std::string cart_address;
    rpc::PeerSettings peer;
    kafka::ConsumerSettings kafka;
    redis::Settings redis;
    projections::RedisSinkSettings cached_rows;
    PriceCacheSettings price_cache;
    absl::Duration bank_transfer_hold;
    LifecycleSettings lifecycle;
    policy::Settings policy;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<LookUpLanes> look_ups_;
  std::unique_ptr<OrderLanes> lanes_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<kafka::Consumer> price_changes_;
  std::unique_ptr<PriceCache> prices_;
  std::unique_ptr<Checkout> checkout_;
  std::unique_ptr<OrderRpc> rpc_;
  std::unique_ptr<policy::Policy> policy_;
  std::unique_ptr<Lifecycle> lifecycle_;
  std::unique_ptr<redis::Client> redis_;
  std::unique_ptr<projections::RedisSink> cached_rows_;
  std::unique_ptr<projections::Runner> status_cache_;
};

}  // namespace bv::order
