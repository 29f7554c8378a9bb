// Revenue by minutes as it happens: how far it is complete, the metric of the last minutes, and the end of
// minutes that nobody asks for any more.
#pragma once

#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>
#include <string>

#include "libs/config/config.h"
#include "libs/postgres/postgres.h"
#include "libs/projections/runner.h"
#include "libs/service/job.h"

namespace bv::analytics {

struct LiveSettings {
  // How long after it occurred an event may come in before a window that lacks it is called complete.
  absl::Duration allowed_lateness;
  // Between two rounds of metric and clean-up.
  absl::Duration interval;
  // Of the metric: the last whole minutes that it sums.
  absl::Duration metric_window;

  void Bind(config::Binder& b);  // analytics.live_lateness, .live_interval, .live_metric_window
};

class LiveRevenue {
 public:
  // A minute is kept, and corrected by late events, for `keep`.
  LiveRevenue(boost::asio::io_context& io, postgres::Pool& pool, const projections::Runner& runner,
              const LiveSettings& settings, absl::Duration keep);

  void Start() { job_.Start(); }
  // Returns when the round that runs, if any, has ended.
  void Stop() { job_.Stop(); }

  // What occurred before is in the windows, but for what comes later than the allowed lateness. As long as
  // all that stands in this replica's partitions has been read it follows the clock, else the newest event;
  // absent before the first. Thread safe.
  std::optional<absl::Time> Watermark() const;

  // One round, as of `now`. Returns whether there is more to delete.
  async::Task<absl::StatusOr<bool>> Round(absl::Time now);

 private:
  void Show(const std::map<std::string, double>& net);

  postgres::Pool& pool_;
  const projections::Runner& runner_;
  const LiveSettings settings_;
  const absl::Duration keep_;
  // By currency; of the job.
  std::map<std::string, prometheus::Gauge*> shown_;
  service::Job job_;
};

}  // namespace bv::analytics
