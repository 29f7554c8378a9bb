#pragma once

#include <absl/time/time.h>

#include "libs/config/config.h"
#include "libs/postgres/postgres.h"
#include "libs/projections/rebuild.h"

namespace bv::replay {

struct DriverSettings {
  // Of the table `replay`.
  postgres::ConnectionSettings connection;
  // Of the rows, as the role that owns them.
  postgres::ConnectionSettings read_models;
  projections::RebuildSettings rebuild;
  // Replays that are driven here at the same time.
  int parallel_max = 2;
  // For how long a driver that is not heard of keeps a replay.
  absl::Duration lease = absl::Seconds(5);
  // Between two looks for a replay that nobody drives.
  absl::Duration poll_interval = absl::Milliseconds(200);

  // postgres.url, .password, .statement_timeout, the same below read_models, kafka.brokers, kafka.batch_max,
  // replay.workers_max, .buffer_bytes, .parallel_max, .lease, .poll_interval
  void Bind(config::Binder& b);
};

}  // namespace bv::replay
