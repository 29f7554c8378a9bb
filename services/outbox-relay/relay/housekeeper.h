// The thread that measures the lag and keeps the outbox's partitions; it works on a standby as well as on the
// leader.
#pragma once

#include <thread>

#include "services/outbox-relay/domain/lag_clock.h"
#include "services/outbox-relay/relay/metrics.h"
#include "services/outbox-relay/relay/stop_signal.h"
#include "services/outbox-relay/settings.h"
#include "services/outbox-relay/store/outbox_store.h"

namespace bv::relay {

class Housekeeper {
 public:
  // Begins at once. Everything passed by reference outlives it.
  Housekeeper(const Settings& settings, Metrics& metrics, const StopSignal& stop);
  // Waits for the thread, so the stop signal has to be set.
  ~Housekeeper();

 private:
  void Run();
  absl::Status KeepPartitions();
  absl::Status MeasureLag();

  const Settings& settings_;
  Metrics& metrics_;
  const StopSignal& stop_;
  OutboxStore store_;
  LagClock lag_clock_;
  std::thread thread_;
};

}  // namespace bv::relay
