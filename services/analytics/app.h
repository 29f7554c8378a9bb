#pragma once

#include <memory>
#include <string_view>

#include "libs/kafka/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/projections/postgres_sink.h"
#include "libs/projections/runner.h"
#include "libs/read_models/read_models.h"
#include "libs/service/service.h"
#include "services/analytics/live/live_revenue.h"
#include "services/analytics/rpc/analytics_rpc.h"

namespace bv::analytics {

class App {
 public:
  static constexpr std::string_view kName = "analytics";
  static constexpr char kGroup[] = "analytics";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    kafka::ConsumerSettings kafka;
    read_models::Settings read_models;
    LiveSettings live;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<projections::PostgresSink> sink_;
  std::unique_ptr<projections::Runner> runner_;
  std::unique_ptr<LiveRevenue> live_;
  std::unique_ptr<AnalyticsRpc> rpc_;
};

}  // namespace bv::analytics
