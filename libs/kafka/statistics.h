// librdkafka's statistics (a JSON text every few seconds) as Prometheus gauges.
// Fields: https://github.com/confluentinc/librdkafka/blob/v2.0.2/STATISTICS.md
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bv::kafka {

struct BrokerStatistics {
  std::string name;
  bool up = false;
  // Something was wanted of it; until then there is no connection.
  bool wanted = false;
  std::int64_t retries = 0;
  std::int64_t timeouts = 0;
  absl::Duration round_trip_p50;
  absl::Duration round_trip_p99;
};

struct Statistics {
  std::int64_t queued_records = 0;
  std::int64_t queued_bytes = 0;
  // Real brokers only, not librdkafka's own bookkeeping ones.
  std::vector<BrokerStatistics> brokers;
};

// INVALID_ARGUMENT for what is not librdkafka's JSON; fields that are missing count as 0.
absl::StatusOr<Statistics> ParseStatistics(std::string_view json);

// Sets the gauges kafka_producer_* and kafka_broker_*; see README.md.
void Publish(const Statistics& statistics);

}  // namespace bv::kafka
