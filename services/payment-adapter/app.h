#pragma once

#include <memory>
#include <string>

#include "libs/postgres/postgres.h"
#include "libs/service/service.h"
#include "services/payment-adapter/gateways/guarded_gateway.h"
#include "services/payment-adapter/providers/card_provider.h"
#include "services/payment-adapter/providers/manual_provider.h"
#include "services/payment-adapter/rpc/payment_rpc.h"

namespace bv::payment {

class App {
 public:
  static constexpr std::string_view kName = "payment-adapter";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    std::string soap_url;
    absl::Duration soap_processing_max;
    std::string rest_url;
    absl::Duration rest_processing_max;
    int answer_bytes_max = 0;
    CardSettings card;
    BreakerSettings breaker;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<GuardedGateway> soap_;
  std::unique_ptr<GuardedGateway> rest_;
  std::unique_ptr<CardProvider> card_;
  std::unique_ptr<ManualProvider> manual_;
  std::unique_ptr<PaymentRpc> rpc_;
};

}  // namespace bv::payment
