#include "services/replay/driver/course.h"

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/projections/parity.h"
#include "libs/resilience/backoff.h"
#include "libs/telemetry/telemetry.h"
#include "services/replay/driver/parity_report.h"

namespace bv::replay {
namespace {

using projections::Positions;

// So few that they are applied while the live rows stand still.
constexpr std::int64_t kLittle = 2'000;
constexpr int kComparisonsMax = 5;
constexpr resilience::BackoffSettings kPauses{.min = absl::Milliseconds(100), .max = absl::Seconds(5)};

// The same later may succeed.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsAborted(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status);
}

absl::Status Interrupted() {
  return absl::CancelledError("the replay is interrupted");
}

std::int64_t Behind(const Positions& made, const Positions& wanted) {
  std::int64_t messages = 0;
  for (const auto& [partition, offset] : wanted) {
    const auto found = made.find(partition);
    messages += offset - (found == made.end() ? 0 : found->second);
  }
  return messages;
}

projections::RebuildSettings RebuildSettingsOf(const DriverSettings& settings, const Replay& replay) {
  projections::RebuildSettings rebuild = settings.rebuild;
  rebuild.pass_over_refused = replay.pass_over_refused;
  return rebuild;
}

projections::Rebuild::MakeSink SinksOf(const DriverSettings& settings, const Replay& replay) {
  return [connection = settings.read_models, rows_version = replay.rows_version] {
    return std::make_unique<projections::PostgresSink>(connection, rows_version);
  };
}

}  // namespace

Course::Course(const DriverSettings& settings, const projections::Projection& projection, Replay replay,
               std::string driver)
    : settings_(settings),
      projection_(projection),
      replay_(std::move(replay)),
      driver_(std::move(driver)),
      differences_(
          telemetry::Gauge("replay_differences",
                           "Buckets of the rows that are read, of 4,096, that are not what the log says, "
                           "as the last comparison found them.",
                           {{"projection", projection.name}})),
      session_(settings.connection, postgres::Plans::kIndexOnly),
      live_(settings.read_models, std::nullopt),
      rebuilt_(settings.read_models, replay_.rows_version),
      versions_(settings.read_models),
      rebuild_(RebuildSettingsOf(settings, replay_), projection, SinksOf(settings, replay_)),
      interruption_([this] { rebuild_.Cancel(); }) {}

void Course::Drive() {
  using Reason = Interruption::Reason;
  prometheus::Gauge& running = telemetry::Gauge("replay_running", "Replays that this process drives.",
                                                {{"projection", projection_.name}});
  running.Increment();
  keeper_ = std::make_unique<Keeper>(settings_, projection_, replay_, driver_, rebuild_, interruption_);
  resilience::Backoff pauses(kPauses);
  // The wish may be older than this driver.
  if (replay_.cancel_requested) interruption_.Set(Reason::kCancel);
  Reason reason = interruption_.reason();
  while (reason < Reason::kLost) {
    absl::Status status = reason == Reason::kCancel ? Cancel() : Go();
    if (!status.ok() && !MayPass(status) && !absl::IsCancelled(status)) status = Fail(status);
    if (status.ok()) break;
    if (MayPass(status)) {
      telemetry::LogLimited(telemetry::Level::kWarn, "a replay waits for what is away",
                            {{"replayId", replay_.id.str()}, {"error", status}});
    }
    interruption_.WaitWhile(reason, *pauses.Next());
    reason = interruption_.reason();
  }
  keeper_.reset();
  if (reason == Reason::kStop) Release();
  running.Decrement();
}

absl::Status Course::Go() {
  ASSIGN_OR_RETURN(const projections::RowsVersions versions, versions_.Of(projection_));
  // Whoever drove it before had come as far as to have the rows read, or to find what it was to find.
  if (versions.live == replay_.rows_version) return End(State::kDone);
  if (replay_.purpose == Purpose::kVerify && replay_.parity) return EndVerify(*replay_.parity);
  RETURN_IF_ERROR(Build());
  if (replay_.purpose == Purpose::kPointInTime) return End(State::kDone);
  RETURN_IF_ERROR(SetComparing());
  ASSIGN_OR_RETURN(replay_.parity, Compare());
  RETURN_IF_ERROR(SetComparing());
  CrashPoint("replay.parity.stored");
  return replay_.purpose == Purpose::kVerify ? EndVerify(*replay_.parity) : EndRebuild(*replay_.parity);
}

absl::Status Course::Build() {
  if (replay_.purpose == Purpose::kPointInTime) return rebuild_.Advance(replay_.until);
  ASSIGN_OR_RETURN(Positions target, live_.PositionsOf(projection_));
  while (true) {
    RETURN_IF_ERROR(rebuild_.Advance(target));
    ASSIGN_OR_RETURN(Positions now, live_.PositionsOf(projection_));
    if (Behind(target, now) < kLittle) return absl::OkStatus();
    target = std::move(now);
  }
}

absl::StatusOr<pb::Parity> Course::Compare() {
  const std::function<absl::Status(const Positions&)> catch_up = [this](const Positions& positions) {
    return rebuild_.Advance(positions);
  };
  const absl::StatusOr<projections::Parity> parity =
      projections::Compare(projection_, live_, rebuilt_, catch_up);
  if (absl::IsAborted(parity.status()) && ++unsettled_ == kComparisonsMax)
    return absl::FailedPreconditionError(parity.status().message());
  RETURN_IF_ERROR(parity.status());
  if (interruption_.reason() != Interruption::Reason::kNone) return Interrupted();
  differences_.Set(static_cast<double>(parity->buckets_different.size()));
  return ReportOf(projection_, *parity);
}

absl::Status Course::EndVerify(const pb::Parity& parity) {
  RETURN_IF_ERROR(DropRows());
  return End(parity.buckets_different() == 0 ? State::kDone : State::kDifferent);
}

absl::Status Course::EndRebuild(const pb::Parity& parity) {
  if (parity.buckets_different() > 0 && !replay_.accept_differences) return End(State::kDifferent);
  return Switch();
}

// A replay that is being switched can be neither canceled nor claimed, so that no rows are dropped that are
// read: the row is held until the end is stored with it.
absl::Status Course::Switch() {
  const auto catch_up = [this](const Positions& positions) { return rebuild_.Advance(positions); };
  const auto switch_and_end = [&](postgres::Session& session) {
    if (!HoldReplay(session, replay_.id, driver_)) return Lost();
    RETURN_IF_ERROR(versions_.Switch(projection_, replay_.rows_version, catch_up));
    CrashPoint("replay.rows.switched");
    EndReplay(session, replay_.id, driver_, State::kDone, "", std::nullopt);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(keeper_->Store());
  RETURN_IF_ERROR(session_.Transact({}, switch_and_end));
  // What differed is not read any more.
  differences_.Set(0);
  Ended(State::kDone);
  return absl::OkStatus();
}

absl::Status Course::Cancel() {
  ASSIGN_OR_RETURN(const projections::RowsVersions versions, versions_.Of(projection_));
  // The wish came too late.
  if (versions.live == replay_.rows_version) return End(State::kDone);
  RETURN_IF_ERROR(DropRows());
  return End(State::kCanceled);
}

absl::Status Course::Fail(const absl::Status& why) {
  // The rows of a verification are nobody's; those of the others may be looked at.
  if (replay_.purpose == Purpose::kVerify) RETURN_IF_ERROR(DropRows());
  const std::string reason = ErrorReason(why);
  return End(State::kFailed, reason.empty() ? why.ToString() : Concat(reason, ": ", Std(why.message())));
}

absl::Status Course::DropRows() {
  RETURN_IF_ERROR(versions_.Drop(projection_, replay_.rows_version));
  CrashPoint("replay.rows.dropped");
  return absl::OkStatus();
}

absl::Status Course::SetComparing() {
  RETURN_IF_ERROR(Transact([this](postgres::Session& session) {
    return bv::replay::SetComparing(session, replay_.id, driver_, replay_.parity);
  }));
  CrashPoint("replay.comparing.stored");
  return absl::OkStatus();
}

absl::Status Course::End(State state, const std::string& failure) {
  RETURN_IF_ERROR(keeper_->Store());
  RETURN_IF_ERROR(Transact([&](postgres::Session& session) {
    return EndReplay(session, replay_.id, driver_, state, failure, replay_.parity);
  }));
  Ended(state);
  return absl::OkStatus();
}

void Course::Ended(State state) {
  CrashPoint("replay.end.stored");
  telemetry::Counter("replay_ended_total", "Replays that have ended, by how.",
                     {{"projection", projection_.name}, {"state", std::string(Word(state))}})
      .Increment();
  telemetry::Log(telemetry::Level::kInfo, "a replay has ended",
                 {{"replayId", replay_.id.str()}, {"projection", projection_.name}, {"state", Word(state)}});
}

absl::Status Course::Transact(const std::function<bool(postgres::Session&)>& change) {
  return session_.Transact(
      {}, [&](postgres::Session& session) { return change(session) ? absl::OkStatus() : Lost(); });
}

absl::Status Course::Lost() {
  interruption_.Set(Interruption::Reason::kLost);
  return Interrupted();
}

void Course::Release() {
  const absl::Status released = session_.Transact({}, [this](postgres::Session& session) {
    ReleaseReplay(session, replay_.id, driver_);
    return absl::OkStatus();
  });
  // Then the lease runs out.
  if (!released.ok()) {
    telemetry::Log(telemetry::Level::kWarn, "a replay was not released",
                   {{"replayId", replay_.id.str()}, {"error", released}});
  }
}

}  // namespace bv::replay
