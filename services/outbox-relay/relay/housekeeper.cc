#include "services/outbox-relay/relay/housekeeper.h"

#include "libs/base/clock.h"
#include "libs/base/macros.h"

namespace bv::relay {

Housekeeper::Housekeeper(const Settings& settings, Metrics& metrics, const StopSignal& stop)
    : settings_(settings), metrics_(metrics), stop_(stop), store_(settings.postgres), thread_([this] {
        Run();
      }) {}

Housekeeper::~Housekeeper() {
  thread_.join();
}

void Housekeeper::Run() {
  absl::Time partitions_due = absl::InfinitePast();
  do {
    if (MonotonicNow() >= partitions_due) {
      if (const absl::Status kept = KeepPartitions(); kept.ok()) {
        partitions_due = MonotonicNow() + settings_.housekeeping_interval;
      } else {
        telemetry::LogLimited(telemetry::Level::kWarn, "partitions of the outbox not kept, trying again",
                              {{"error", kept}});
      }
    }
    const absl::StatusOr<std::int64_t> lag = store_.LagBytes(settings_.slot);
    if (lag.ok()) {
      metrics_.lag_bytes.Set(static_cast<double>(*lag));
    } else {
      telemetry::LogLimited(telemetry::Level::kWarn, "lag not measured", {{"error", lag.status()}});
    }
  } while (!stop_.WaitFor(settings_.lag_interval));
}

absl::Status Housekeeper::KeepPartitions() {
  RETURN_IF_ERROR(store_.MakePartitions(settings_.partition_days_ahead).status());
  ASSIGN_OR_RETURN(const int dropped, store_.DropPartitions(settings_.retention, settings_.slot));
  metrics_.partitions_dropped.Increment(dropped);
  return absl::OkStatus();
}

}  // namespace bv::relay
