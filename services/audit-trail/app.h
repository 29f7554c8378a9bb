#pragma once

#include <memory>
#include <string_view>

#include "libs/kafka/consumer.h"
#include "libs/service/job.h"
#include "libs/service/service.h"
#include "services/audit-trail/events/trail.h"
#include "services/audit-trail/rpc/audit_rpc.h"

namespace bv::audit_trail {

class App {
 public:
  static constexpr std::string_view kName = "audit-trail";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    kafka::ConsumerSettings kafka;
    absl::Duration head_interval;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<AuditRpc> rpc_;
  std::unique_ptr<Trail> trail_;
  // What was noted of the chains, up to when; of the job.
  absl::Time noted_until_;
  std::unique_ptr<service::Job> note_heads_;
};

}  // namespace bv::audit_trail
