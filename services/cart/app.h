#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/kafka/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "libs/service/service.h"
#include "services/cart/events/hold_answers.h"
#include "services/cart/expiry/sweeper.h"
#include "services/cart/rpc/cart_rpc.h"
#include "services/cart/rpc/catalogue.h"

namespace bv::cart {

class App {
 public:
  static constexpr std::string_view kName = "cart";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    std::string product_address;
    rpc::PeerSettings peer;
    absl::Duration ttl;
    std::vector<std::string> hold_items;
    absl::Duration hold_ttl;
    kafka::ConsumerSettings kafka;
    SweeperSettings sweeper;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<Catalogue> catalogue_;
  std::unique_ptr<CartRpc> rpc_;
  std::unique_ptr<HoldAnswers> hold_answers_;
  std::unique_ptr<Sweeper> sweeper_;
};

}  // namespace bv::cart
