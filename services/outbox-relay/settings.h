#pragma once

#include <absl/time/time.h>

#include <string>

#include "libs/config/config.h"
#include "libs/kafka/producer.h"
#include "libs/postgres/postgres.h"

namespace bv::relay {

// Explained in outbox-relay.yaml.
struct Settings {
  postgres::ConnectionSettings postgres;
  kafka::ProducerSettings kafka;
  std::string topics_file;
  std::string schema_ids_file;
  int replication_factor = 1;
  std::string slot;
  int in_flight_records_max = 0;
  std::int64_t in_flight_bytes_max = 0;
  absl::Duration gather;
  absl::Duration status_interval;
  absl::Duration standby_interval;
  absl::Duration backoff_min;
  absl::Duration backoff_max;
  absl::Duration lag_interval;
  absl::Duration housekeeping_interval;
  int partition_days_ahead = 0;
  absl::Duration retention;

  void Bind(config::Binder& b);
};

}  // namespace bv::relay
