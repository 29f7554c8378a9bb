// Deletes expired carts in the background. They are not found any more from the moment of their expiry; this
// gives the room back.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <cstdint>
#include <future>
#include <stop_token>

#include "libs/async/task.h"
#include "libs/config/config.h"
#include "libs/postgres/postgres.h"
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
  void Start();
  // Returns when the round that runs, if any, has ended; the rest of its work is left. Not from a thread of
  // `io`, which has to run.
  void Stop();

  // One round: the carts of every tenant that are expired by now. Returns how many were deleted.
  async::Task<absl::StatusOr<std::int64_t>> Sweep();

 private:
  async::Task<void> Run();
  async::Task<absl::StatusOr<std::int64_t>> SweepTenant(TenantId tenant);
  RequestContext ContextOf(const TenantId& tenant) const;

  postgres::Pool& pool_;
  const SweeperSettings settings_;
  boost::asio::strand<boost::asio::io_context::executor_type> strand_;
  boost::asio::steady_timer timer_;
  std::stop_source stop_;
  // Of Run; valid once started.
  std::future<void> ended_;
  prometheus::Counter& deleted_;
};

}  // namespace bv::cart
