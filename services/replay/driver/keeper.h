// Keeps a replay in its driver's hands while it is driven: prolongs the lease, stores the progress, and hears
// whether it is to be canceled, once a second.
#pragma once

#include <absl/status/status.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "libs/postgres/postgres.h"
#include "libs/projections/postgres_sink.h"
#include "libs/projections/rebuild.h"
#include "libs/telemetry/telemetry.h"
#include "services/replay/driver/interruption.h"
#include "services/replay/driver/settings.h"
#include "services/replay/store/replay_rows.h"

namespace bv::replay {

class Keeper {
 public:
  // All of them outlive it. Begins at once, on a thread of its own.
  Keeper(const DriverSettings& settings, const projections::Projection& projection, const Replay& replay,
         const std::string& driver, const projections::Rebuild& rebuild, Interruption& interruption);
  // Returns when its thread has ended.
  ~Keeper();

  // One round, on the caller's thread: for a progress that is true at the end. Thread safe.
  absl::Status Store();

 private:
  void Run(std::stop_token stop);
  absl::StatusOr<Progress> Measure();
  // Messages in a second over the last rounds, this one being at `applied`.
  double Rate(std::int64_t applied);

  const DriverSettings& settings_;
  const projections::Projection& projection_;
  const Replay& replay_;
  const std::string& driver_;
  const projections::Rebuild& rebuild_;
  Interruption& interruption_;
  prometheus::Counter& messages_;
  // Below: of one round at a time.
  std::mutex mutex_;
  postgres::Session session_;
  projections::PostgresSink live_, rebuilt_;
  std::int64_t counted_ = 0;
  // When, by the monotonic clock, and how many were applied then.
  std::deque<std::pair<absl::Time, std::int64_t>> rounds_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

}  // namespace bv::replay
