#include "libs/postgres/lane.h"

#include "libs/telemetry/telemetry.h"

namespace bv::postgres {

void LaneSettings::Bind(config::Binder& b) {
  b.Integer("postgres.lane_count", count, {1, 64});
  b.Integer("postgres.lane_queue_max", queue_max, {1, 100'000});
  b.Integer("postgres.lane_batch_max", batch_max, {1, 4096});
}

LaneMetrics::LaneMetrics(const std::string& lane_set)
    : size_(telemetry::Histogram("lane_batch_size", "Requests in one transaction of a lane.",
                                 {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}, {{"lanes", lane_set}})),
      execution_(telemetry::Histogram("lane_execution_seconds", "From the start of a batch to its commit.",
                                      telemetry::LatencySeconds(), {{"lanes", lane_set}})),
      wait_(telemetry::Histogram("lane_wait_seconds", "From a request's arrival to the start of its batch.",
                                 telemetry::LatencySeconds(), {{"lanes", lane_set}})),
      depth_(telemetry::Gauge("lane_depth", "Requests left waiting when a batch started.",
                              {{"lanes", lane_set}})) {}

void LaneMetrics::Batch(std::size_t size, absl::Duration execution) {
  if (size > 0) size_.Observe(static_cast<double>(size));
  execution_.Observe(absl::ToDoubleSeconds(execution));
}

void LaneMetrics::Waited(absl::Duration wait) {
  wait_.Observe(absl::ToDoubleSeconds(wait));
}

void LaneMetrics::Depth(std::size_t depth) {
  depth_.Set(static_cast<double>(depth));
}

}  // namespace bv::postgres
