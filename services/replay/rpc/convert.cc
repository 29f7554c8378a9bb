#include "services/replay/rpc/convert.h"

#include "libs/base/macros.h"
#include "libs/rpc/timestamp.h"

namespace bv::replay {
namespace {

absl::StatusOr<Purpose> FromProto(pb::StartReplayRequest::Purpose purpose) {
  switch (purpose) {
    case pb::StartReplayRequest::PURPOSE_UNSPECIFIED:
    case pb::StartReplayRequest::PURPOSE_REBUILD:
      return Purpose::kRebuild;
    case pb::StartReplayRequest::PURPOSE_VERIFY:
      return Purpose::kVerify;
    case pb::StartReplayRequest::PURPOSE_POINT_IN_TIME:
      return Purpose::kPointInTime;
    default:
      return InvalidValue("purpose", "must be REBUILD, VERIFY or POINT_IN_TIME");
  }
}

pb::StartReplayRequest::Purpose ToProto(Purpose purpose) {
  switch (purpose) {
    case Purpose::kRebuild:
      return pb::StartReplayRequest::PURPOSE_REBUILD;
    case Purpose::kVerify:
      return pb::StartReplayRequest::PURPOSE_VERIFY;
    case Purpose::kPointInTime:
      return pb::StartReplayRequest::PURPOSE_POINT_IN_TIME;
  }
  return pb::StartReplayRequest::PURPOSE_UNSPECIFIED;
}

pb::Replay::State ToProto(State state) {
  switch (state) {
    case State::kBuilding:
      return pb::Replay::STATE_BUILDING;
    case State::kComparing:
      return pb::Replay::STATE_COMPARING;
    case State::kDone:
      return pb::Replay::STATE_DONE;
    case State::kDifferent:
      return pb::Replay::STATE_DIFFERENT;
    case State::kFailed:
      return pb::Replay::STATE_FAILED;
    case State::kCanceled:
      return pb::Replay::STATE_CANCELED;
  }
  return pb::Replay::STATE_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<Request> FromProto(const pb::StartReplayRequest& request) {
  Request wanted{.projection = request.projection(),
                 .accept_differences = request.accept_differences(),
                 .pass_over_refused = request.pass_over_refused()};
  ASSIGN_OR_RETURN(wanted.purpose, FromProto(request.purpose()));
  if (request.has_time()) {
    const std::int64_t seconds = request.time().seconds();
    // To the year 2200: nanoseconds of a time behind it do not fit everywhere.
    if (seconds < 0 || seconds > 7'258'118'400 || request.time().nanos() < 0)
      return InvalidValue("time", "must be a time from 1970 on");
    wanted.until_time = rpc::FromTimestamp(request.time());
  }
  if (request.has_offsets() && request.offsets().offsets().empty())
    return InvalidValue("offsets", "must name a partition");
  for (const pb::PartitionOffset& end : request.offsets().offsets())
    wanted.until_offsets.push_back({end.topic(), end.partition(), end.offset()});
  RETURN_IF_ERROR(CheckRequest(wanted));
  return wanted;
}

pb::Replay ToProto(const Replay& replay) {
  pb::Replay answer;
  answer.set_replay_id(replay.id.str());
  answer.set_projection(replay.projection);
  answer.set_purpose(ToProto(replay.purpose));
  answer.set_state(ToProto(replay.state));
  answer.set_rows_version(replay.rows_version);
  answer.set_live_version(replay.live_version);
  *answer.mutable_started_at() = rpc::ToTimestamp(replay.started_at);
  if (replay.ended_at) *answer.mutable_ended_at() = rpc::ToTimestamp(*replay.ended_at);
  answer.set_messages_applied(replay.progress.applied);
  answer.set_messages_in_all(replay.progress.in_all);
  answer.set_messages_per_second(replay.progress.per_second);
  answer.set_messages_refused(replay.progress.refused);
  if (replay.parity) *answer.mutable_parity() = *replay.parity;
  answer.set_failure(replay.failure);
  return answer;
}

}  // namespace bv::replay
