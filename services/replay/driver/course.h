// The course of one replay, from where its rows are to its end. Every step does the same once or several
// times, so that a course that was broken off anywhere is simply begun again, here or by another process.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <memory>
#include <string>

#include "libs/postgres/postgres.h"
#include "libs/projections/postgres_sink.h"
#include "libs/projections/postgres_versions.h"
#include "libs/projections/rebuild.h"
#include "libs/telemetry/telemetry.h"
#include "services/replay/driver/interruption.h"
#include "services/replay/driver/keeper.h"
#include "services/replay/driver/settings.h"
#include "services/replay/store/replay_rows.h"

namespace bv::replay {

class Course {
 public:
  // `replay` was claimed by `driver`. The settings and the projection outlive it.
  Course(const DriverSettings& settings, const projections::Projection& projection, Replay replay,
         std::string driver);

  // Returns when the replay has ended, is another driver's, or after Stop, and then lets others claim it.
  // What is away is waited for.
  void Drive();

  // Thread safe.
  void Stop() { interruption_.Set(Interruption::Reason::kStop); }

 private:
  // OK when the replay has ended, and that is stored.
  absl::Status Go();
  absl::Status Build();
  absl::StatusOr<pb::Parity> Compare();
  absl::Status EndVerify(const pb::Parity& parity);
  absl::Status EndRebuild(const pb::Parity& parity);
  absl::Status Switch();
  absl::Status Cancel();
  absl::Status Fail(const absl::Status& why);
  absl::Status DropRows();
  // Also stores what a comparison found, if there was one.
  absl::Status SetComparing();
  absl::Status End(State state, const std::string& failure = "");
  void Ended(State state);
  // `change` returns whether the replay is this driver's.
  absl::Status Transact(const std::function<bool(postgres::Session&)>& change);
  absl::Status Lost();
  void Release();

  const DriverSettings& settings_;
  const projections::Projection& projection_;
  Replay replay_;
  const std::string driver_;
  prometheus::Gauge& differences_;
  postgres::Session session_;
  projections::PostgresSink live_, rebuilt_;
  projections::PostgresVersions versions_;
  projections::Rebuild rebuild_;
  Interruption interruption_;
  // While it is driven.
  std::unique_ptr<Keeper> keeper_;
  // Comparisons that came to nothing.
  int unsettled_ = 0;
};

}  // namespace bv::replay
