#include "services/outbox-relay/relay/housekeeper.h"

#include <algorithm>
#include <limits>

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
    if (const absl::Status measured = MeasureLag(); !measured.ok()) {
      telemetry::LogLimited(telemetry::Level::kWarn, "lag not measured", {{"error", measured}});
    }
  } while (!stop_.WaitFor(settings_.lag_interval));
}

absl::Status Housekeeper::KeepPartitions() {
  RETURN_IF_ERROR(store_.MakePartitions(settings_.partition_days_ahead).status());
  ASSIGN_OR_RETURN(const int dropped, store_.DropPartitions(settings_.retention, settings_.slot));
  metrics_.partitions_dropped.Increment(dropped);
  return absl::OkStatus();
}

absl::Status Housekeeper::MeasureLag() {
  const absl::StatusOr<SlotView> view = store_.Look(settings_.slot);
  if (absl::IsNotFound(view.status())) metrics_.slot_room_bytes.Set(0);
  RETURN_IF_ERROR(view.status());
  const Lsn lag = view->log_end - std::min(view->confirmed, view->log_end);
  metrics_.lag_bytes.Set(static_cast<double>(lag));
  const absl::Duration age = lag_clock_.Look(MonotonicNow(), view->log_end, view->confirmed);
  metrics_.lag_seconds.Set(absl::ToDoubleSeconds(age));
  metrics_.slot_room_bytes.Set(view->room_bytes ? static_cast<double>(*view->room_bytes)
                                                : std::numeric_limits<double>::infinity());
  return absl::OkStatus();
}

}  // namespace bv::relay
