#pragma once

#include <memory>

#include "libs/egress/egress.h"
#include "libs/postgres/postgres.h"
#include "libs/service/service.h"
#include "services/webhook-dispatcher/delivery/pipeline.h"
#include "services/webhook-dispatcher/rpc/delivery_rpc.h"
#include "services/webhook-dispatcher/rpc/subscription_rpc.h"
#include "services/webhook-dispatcher/store/subscription_book.h"

namespace bv::webhook {

class App {
 public:
  static constexpr std::string_view kName = "webhook-dispatcher";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    absl::Duration poll_interval;
    egress::Settings egress;
    PipelineSettings pipeline;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<SubscriptionBook> book_;
  std::unique_ptr<egress::Client> egress_;
  std::unique_ptr<SubscriptionRpc> subscription_rpc_;
  std::unique_ptr<DeliveryRpc> delivery_rpc_;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace bv::webhook
