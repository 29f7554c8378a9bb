// The read models of the analytics service as functions of the log: what it makes live, the replay service
// makes anew.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <vector>

#include "libs/config/config.h"
#include "libs/projections/projection.h"
#include "libs/read_models/time_zones.h"

namespace bv::read_models {

// What rows depend on beside the events. Whoever makes the same rows has to have the same, so the names are
// those of the service that reads the rows, and so is the variable of the environment that sets them.
struct Settings {
  std::string time_zone;
  // <tenant>=<zone>
  std::vector<std::string> time_zones;
  // How long the revenue of a minute is kept.
  absl::Duration minutes_keep;

  void Bind(config::Binder& b);  // analytics.time_zone, .time_zones, .live_keep
  // INVALID_ARGUMENT names the zone that is not known.
  absl::StatusOr<TimeZones> Zones() const;
};

// All there are: a new one is a file of its own beside this, a table in services/analytics/migrations, and a
// line here.
std::vector<projections::Projection> AllProjections(const TimeZones& zones, absl::Duration minutes_keep);

}  // namespace bv::read_models
