// Inside libs/telemetry: what Prometheus wants to know of every process, read when it asks.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace bv::telemetry {

// process_* as the Prometheus clients name them, and bv_log_lines_dropped_total.
class ProcessMetrics : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace bv::telemetry
