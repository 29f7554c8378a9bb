#pragma once

#include <memory>

#include "libs/postgres/postgres.h"
#include "libs/service/service.h"
#include "services/product/rpc/product_rpc.h"

namespace bv::product {

class App {
 public:
  static constexpr std::string_view kName = "product";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<ProductRpc> rpc_;
};

}  // namespace bv::product
