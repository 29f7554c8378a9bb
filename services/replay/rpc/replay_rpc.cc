#include "services/replay/rpc/replay_rpc.h"

#include <absl/strings/str_join.h>

#include <algorithm>
#include <optional>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/projections/postgres_versions.h"
#include "services/replay/rpc/convert.h"
#include "services/replay/rpc/log_end.h"

namespace bv::replay {
namespace {

constexpr int kReplaysListed = 100;

absl::Status ReplayNotFound() {
  return NotFound("REPLAY_NOT_FOUND", "there is no such replay");
}

// What is no id is the id of nothing.
absl::StatusOr<ReplayId> IdOf(const std::string& text) {
  absl::StatusOr<ReplayId> id = ReplayId::Parse(text);
  if (!id.ok()) return ReplayNotFound();
  return id;
}

absl::StatusOr<pb::Replay> Found(const std::optional<Replay>& replay) {
  if (!replay) return ReplayNotFound();
  return ToProto(*replay);
}

// A repeat asks for the same; ends are not compared, since they are looked up anew.
bool IsRepeat(const Replay& replay, const Request& request) {
  return replay.projection == request.projection && replay.purpose == request.purpose &&
         replay.accept_differences == request.accept_differences &&
         replay.pass_over_refused == request.pass_over_refused;
}

}  // namespace

void ReplayRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.replay.v1.Replays";
  server.Handle(service, "StartReplay", *this, &ReplayRpc::StartReplay);
  server.Handle(service, "GetReplay", *this, &ReplayRpc::GetReplay);
  server.Handle(service, "CancelReplay", *this, &ReplayRpc::CancelReplay);
  server.Handle(service, "GetProjection", *this, &ReplayRpc::GetProjection);
  server.Handle(service, "DropRows", *this, &ReplayRpc::DropRows);
}

rpc::Reply<pb::Replay> ReplayRpc::StartReplay(rpc::Call<pb::StartReplayRequest> call) {
  CO_ASSIGN_OR_RETURN(const Request request, FromProto(call.request()));
  CO_RETURN_IF_ERROR(Find(request.projection).status());
  bool is_repeat = false;
  std::function<absl::StatusOr<pb::Replay>(postgres::Session&)> begin = [&](postgres::Session& session) {
    return Begin(session, request, call.context(), is_repeat);
  };
  const absl::StatusOr<pb::Replay> begun =
      co_await pool_.Transact<pb::Replay>(call.context(), std::move(begin));
  CrashPoint("replay.start.stored");
  if (is_repeat) call.MarkReplayed();
  co_return begun;
}

rpc::Reply<pb::Replay> ReplayRpc::GetReplay(rpc::Call<pb::GetReplayRequest> call) {
  CO_ASSIGN_OR_RETURN(const ReplayId id, IdOf(call.request().replay_id()));
  std::function<absl::StatusOr<pb::Replay>(postgres::Session&)> read = [&](postgres::Session& session) {
    return Found(ReadReplay(session, id));
  };
  co_return co_await pool_.Read<pb::Replay>(call.context(), std::move(read));
}

rpc::Reply<pb::Replay> ReplayRpc::CancelReplay(rpc::Call<pb::CancelReplayRequest> call) {
  CO_ASSIGN_OR_RETURN(const ReplayId id, IdOf(call.request().replay_id()));
  std::function<absl::StatusOr<pb::Replay>(postgres::Session&)> cancel = [&](postgres::Session& session) {
    return Found(RequestCancel(session, id));
  };
  const absl::StatusOr<pb::Replay> canceled =
      co_await pool_.Transact<pb::Replay>(call.context(), std::move(cancel));
  CrashPoint("replay.cancel.stored");
  co_return canceled;
}

rpc::Reply<pb::ProjectionState> ReplayRpc::GetProjection(rpc::Call<pb::GetProjectionRequest> call) {
  CO_ASSIGN_OR_RETURN(const projections::Projection* const projection, Find(call.request().projection()));
  std::function<absl::StatusOr<pb::ProjectionState>(postgres::Session&)> read =
      [&](postgres::Session& session) { return StateOf(session, *projection); };
  co_return co_await pool_.Read<pb::ProjectionState>(call.context(), std::move(read));
}

rpc::Reply<pb::ProjectionState> ReplayRpc::DropRows(rpc::Call<pb::DropRowsRequest> call) {
  CO_ASSIGN_OR_RETURN(const projections::Projection* const projection, Find(call.request().projection()));
  const int rows_version = call.request().rows_version();
  if (rows_version < 1) co_return InvalidValue("rowsVersion", "must be 1 or more");
  std::function<absl::StatusOr<pb::ProjectionState>(postgres::Session&)> drop =
      [&](postgres::Session& session) -> absl::StatusOr<pb::ProjectionState> {
    // A version is made by one replay in all, so what is not being made now will not be.
    if (IsMaking(session, projection->name, rows_version)) {
      return Error(absl::StatusCode::kFailedPrecondition, "ROWS_IN_USE",
                   Concat("a replay makes the rows of version ", rows_version), "rowsVersion");
    }
    RETURN_IF_ERROR(projections::PostgresVersions(read_models_).Drop(*projection, rows_version));
    return StateOf(session, *projection);
  };
  co_return co_await pool_.Read<pb::ProjectionState>(call.context(), std::move(drop));
}

absl::StatusOr<const projections::Projection*> ReplayRpc::Find(const std::string& name) const {
  const auto found = std::ranges::find(projections_, name, &projections::Projection::name);
  if (found != projections_.end()) return &*found;
  const auto append_name = [](std::string* out, const projections::Projection& known) {
    out->append(known.name);
  };
  return Error(absl::StatusCode::kInvalidArgument, "PROJECTION_UNKNOWN",
               Concat("must be one of ", absl::StrJoin(projections_, ", ", append_name)), "projection");
}

absl::StatusOr<pb::Replay> ReplayRpc::Begin(postgres::Session& session, const Request& request,
                                            const RequestContext& context, bool& is_repeat) const {
  const Asker asker{.user_id = context.user_id, .idempotency_key = context.idempotency_key};
  if (const std::optional<Replay> first = ReadReplayOf(session, asker)) {
    is_repeat = IsRepeat(*first, request);
    if (is_repeat) return ToProto(*first);
    return Error(absl::StatusCode::kInvalidArgument, "IDEMPOTENCY_KEY_REUSED",
                 "the key stands for another request", "Idempotency-Key");
  }
  ASSIGN_OR_RETURN(const projections::Projection* const projection, Find(request.projection));
  ASSIGN_OR_RETURN(const projections::RowsVersions versions,
                   projections::PostgresVersions(read_models_).Of(*projection));
  ASSIGN_OR_RETURN(projections::Positions until,
                   LogEnd(kafka_, read_models_, *projection, request, context.deadline));
  const int newest = versions.all.empty() ? versions.live : versions.all.back();
  const Replay replay{.id = ReplayId::New(),
                      .projection = projection->name,
                      .purpose = request.purpose,
                      .accept_differences = request.accept_differences,
                      .pass_over_refused = request.pass_over_refused,
                      .until = std::move(until),
                      .state = State::kBuilding,
                      .rows_version = newest + 1,
                      .live_version = versions.live};
  ASSIGN_OR_RETURN(const Replay stored, InsertReplay(session, replay, asker));
  return ToProto(stored);
}

absl::StatusOr<pb::ProjectionState> ReplayRpc::StateOf(postgres::Session& session,
                                                       const projections::Projection& projection) const {
  ASSIGN_OR_RETURN(const projections::RowsVersions versions,
                   projections::PostgresVersions(read_models_).Of(projection));
  pb::ProjectionState state;
  state.set_projection(projection.name);
  state.set_function_version(projection.version);
  state.set_made_by(versions.made_by);
  state.set_live_version(versions.live);
  for (const int version : versions.all) state.add_rows_versions(version);
  for (const Replay& replay : ReadReplays(session, projection.name, kReplaysListed))
    *state.add_replays() = ToProto(replay);
  return state;
}

}  // namespace bv::replay
