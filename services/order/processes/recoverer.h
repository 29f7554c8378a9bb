// Takes up processes that nobody drives any more: those of a replica that crashed, and those that were
// postponed.
#pragma once

#include <absl/status/statusor.h>

#include <stop_token>

#include "libs/async/task.h"
#include "libs/postgres/postgres.h"
#include "services/order/processes/processes.h"

namespace bv::order {

class Recoverer {
 public:
  Recoverer(postgres::Pool& pool, Processes& processes) : pool_(pool), processes_(processes) {}

  // Launches all that is due, of all tenants, as far as there is room; what cannot be taken now is taken in
  // the next round. For service::Job.
  async::Task<absl::StatusOr<bool>> Round(std::stop_token stop);

  // At most a page of it. Returns how many were launched.
  async::Task<absl::StatusOr<int>> Recover(std::stop_token stop = {});

 private:
  postgres::Pool& pool_;
  Processes& processes_;
};

}  // namespace bv::order
