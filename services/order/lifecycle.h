// The parts that look after orders once they are created, in the order of their start.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <memory>
#include <string>

#include "libs/auth/service_tokens.h"
#include "libs/config/config.h"
#include "libs/kafka/consumer.h"
#include "libs/policy/policy.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "libs/service/job.h"
#include "libs/service/service.h"
#include "services/order/events/peer_events.h"
#include "services/order/processes/processes.h"
#include "services/order/processes/recoverer.h"
#include "services/order/processes/steps.h"
#include "services/order/reconcile/reconciler.h"
#include "services/order/rpc/lifecycle_rpc.h"
#include "services/order/store/change_batch.h"

namespace bv::order {

struct LifecycleSettings {
  auth::ServiceTokenSettings tokens;
  std::string payment_address;
  // A process belongs to whoever drives it for so long; then it is taken up.
  absl::Duration process_lease;
  // Between two looks for processes to take up.
  absl::Duration recover_interval;

  // Between two looks for orders that were neither paid nor canceled in time.
  absl::Duration reconcile_interval;

  // auth.signing_key_file, payment_adapter.address, order.process_lease, order.recover_interval,
  // order.reconcile_interval
  void Bind(config::Binder& b);
};

class Lifecycle {
 public:
  // What it shares with the rest of the service; outlives it.
  struct Shared {
    service::Host& host;
    postgres::Pool& pool;
    InventoryClient& inventory;
    policy::Policy& policy;
    const postgres::ConnectionSettings& connection;
    const postgres::LaneSettings& lanes;
    const rpc::PeerSettings& peer;
    const kafka::ConsumerSettings& kafka;
  };
  Lifecycle(const Shared& shared, const LifecycleSettings& settings) : shared_(shared), settings_(settings) {}

  absl::Status Start();
  // Returns when nothing is under way any more.
  void Stop();

 private:
  const Shared shared_;
  const LifecycleSettings settings_;
  std::unique_ptr<auth::ServiceTokens> tokens_;
  std::unique_ptr<PaymentsClient> payments_;
  std::unique_ptr<ChangeLanes> lanes_;
  std::unique_ptr<Steps> steps_;
  std::unique_ptr<Processes> processes_;
  std::unique_ptr<LifecycleRpc> rpc_;
  std::unique_ptr<Recoverer> recoverer_;
  std::unique_ptr<service::Job> recovering_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<service::Job> reconciling_;
  std::unique_ptr<PeerEvents> peer_events_;
};

}  // namespace bv::order
