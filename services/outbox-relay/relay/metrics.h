#pragma once

#include "libs/telemetry/telemetry.h"

namespace bv::relay {

// README.md says what each is good for.
struct Metrics {
  Metrics();

  prometheus::Gauge& lag_bytes;
  prometheus::Gauge& lag_seconds;
  prometheus::Gauge& oldest_event_seconds;
  prometheus::Gauge& slot_room_bytes;
  prometheus::Gauge& records_in_flight;
  prometheus::Gauge& bytes_in_flight;
  prometheus::Gauge& is_leader;
  prometheus::Gauge& blocked;
  prometheus::Counter& published;
  prometheus::Counter& produce_errors;
  prometheus::Counter& restarts;
  prometheus::Counter& rescanned;
  prometheus::Counter& partitions_dropped;
  prometheus::Histogram& publish_latency;
};

}  // namespace bv::relay
