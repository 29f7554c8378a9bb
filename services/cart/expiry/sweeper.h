// Deletes expired carts in the background. They are not found any more from the moment of their expiry; this
// gives the room back.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <cstdint>

#include "libs/async/task.h"
#include "libs/config/config.h"
#include "libs/postgres/postgres.h"
#include "libs/service/job.h"
#include "libs/telemetry/telemetry.h"

namespace bv::cart {

struct SweeperSettings {
  // Between two rounds.
  absl::Duration interval;
  // Carts in one transaction, so that none is long.
  int batch = 0;

  void Bind(config::Binder& b);  // cart.sweep_interval, cart.sweep_batch
};

class Sweeper {
 public:
  Sweeper(boost::asio::io_context& io, postgres::Pool& pool, const SweeperSettings& settings);

  // Begins to sweep, one round an interval. A round that fails is logged, and the next one does its work.
  void Start() { job_.Start(); }
  // Returns when the round that runs, if any, has ended; the rest of its work is left. Not from a thread of
  // `io`, which has to run.
  void Stop() { job_.Stop(); }

  // One round: the carts of every tenant that are expired by now. Returns how many were deleted.
  async::Task<absl::StatusOr<std::int64_t>> Sweep();

 private:
  async::Task<absl::StatusOr<bool>> Round();
  async::Task<absl::StatusOr<std::int64_t>> SweepTenant(TenantId tenant);
  RequestContext ContextOf(const TenantId& tenant) const;

  postgres::Pool& pool_;
  const SweeperSettings settings_;
  prometheus::Counter& deleted_;
  service::Job job_;
};

}  // namespace bv::cart
