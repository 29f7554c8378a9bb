// Makes known what comes to pass with prices by time: sales that begin and end, overrides that end. The
// prices themselves do not wait for it.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>

#include "libs/async/task.h"
#include "libs/postgres/postgres.h"
#include "libs/service/job.h"
#include "libs/telemetry/telemetry.h"

namespace bv::product {

class Announcer {
 public:
  // Looks every `interval`.
  Announcer(boost::asio::io_context& io, postgres::Pool& pool, absl::Duration interval);

  // A round that fails is logged, and the next one does its work.
  void Start() { job_.Start(); }
  // Returns when the round that runs, if any, has ended. Not from a thread of `io`, which has to run.
  void Stop() { job_.Stop(); }

  // One round: the products of all tenants for which something is due by now, at most a page of them, each in
  // a transaction of its own. Returns whether it was a full page and all of it is done. An error of one
  // product does not hold up the others; the first is returned.
  async::Task<absl::StatusOr<bool>> Round();

 private:
  RequestContext ContextOf(const TenantId& tenant) const;

  postgres::Pool& pool_;
  prometheus::Counter& announced_;
  service::Job job_;
};

}  // namespace bv::product
