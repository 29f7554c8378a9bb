#include "services/replay/driver/keeper.h"

#include <algorithm>

#include "libs/base/clock.h"
#include "libs/base/crash_point.h"
#include "libs/base/macros.h"

namespace bv::replay {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);
// Over which the rate is measured.
constexpr std::size_t kRounds = 6;

}  // namespace

Keeper::Keeper(const DriverSettings& settings, const projections::Projection& projection,
               const Replay& replay, const std::string& driver, const projections::Rebuild& rebuild,
               Interruption& interruption)
    : settings_(settings),
      projection_(projection),
      replay_(replay),
      driver_(driver),
      rebuild_(rebuild),
      interruption_(interruption),
      messages_(telemetry::Counter("replay_messages_total", "Messages that replays have applied.",
                                   {{"projection", projection.name}})),
      session_(settings.connection, postgres::Plans::kIndexOnly),
      live_(settings.read_models, std::nullopt),
      rebuilt_(settings.read_models, replay.rows_version),
      thread_([this](std::stop_token stop) { Run(stop); }) {}

Keeper::~Keeper() {
  thread_.request_stop();
  thread_.join();
}

void Keeper::Run(std::stop_token stop) {
  // A third of the lease is time for a round that fails.
  const absl::Duration interval = std::min(kInterval, settings_.lease / 3);
  std::mutex mutex;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    const absl::Status stored = Store();
    if (!stored.ok()) {
      telemetry::LogLimited(telemetry::Level::kWarn, "the progress of a replay was not stored",
                            {{"replayId", replay_.id.str()}, {"error", stored}});
    }
    ended_.wait_for(lock, stop, absl::ToChronoMilliseconds(interval), [] { return false; });
  }
}

absl::Status Keeper::Store() {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const Progress progress, Measure());
  std::optional<bool> canceled;
  RETURN_IF_ERROR(session_.Transact({}, [&](postgres::Session& session) {
    canceled = RenewLease(session, replay_.id, driver_, settings_.lease, progress);
    return absl::OkStatus();
  }));
  CrashPoint("replay.progress.stored");
  if (!canceled) interruption_.Set(Interruption::Reason::kLost);
  if (canceled == true) interruption_.Set(Interruption::Reason::kCancel);
  return absl::OkStatus();
}

absl::StatusOr<Progress> Keeper::Measure() {
  projections::Positions target = replay_.until;
  if (replay_.purpose != Purpose::kPointInTime) {
    ASSIGN_OR_RETURN(target, live_.PositionsOf(projection_));
  }
  ASSIGN_OR_RETURN(const projections::Positions made, rebuilt_.PositionsOf(projection_));
  // The topics begin at their first message, so an offset is how many there are before it.
  Progress progress;
  for (const auto& [partition, offset] : made) progress.applied += offset;
  for (const auto& [partition, offset] : target) {
    const auto found = made.find(partition);
    progress.in_all += found == made.end() ? offset : std::max(offset, found->second);
  }
  progress.per_second = Rate(progress.applied);
  progress.refused = replay_.progress.refused + rebuild_.refused();
  const std::int64_t applied_here = rebuild_.applied();
  messages_.Increment(static_cast<double>(applied_here - counted_));
  counted_ = applied_here;
  return progress;
}

double Keeper::Rate(std::int64_t applied) {
  rounds_.emplace_back(MonotonicNow(), applied);
  if (rounds_.size() > kRounds) rounds_.pop_front();
  const auto& [first, applied_then] = rounds_.front();
  const double seconds = absl::ToDoubleSeconds(rounds_.back().first - first);
  return seconds > 0 ? static_cast<double>(applied - applied_then) / seconds : 0;
}

}  // namespace bv::replay
