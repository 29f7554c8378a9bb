// protobuf ↔ rows.
#pragma once

#include <absl/status/statusor.h>

#include "services/replay/domain/replay.h"
#include "services/replay/store/replay_rows.h"

namespace bv::replay {

// INVALID_ARGUMENT for what CheckRequest refuses, and times that are none.
absl::StatusOr<Request> FromProto(const pb::StartReplayRequest& request);

pb::Replay ToProto(const Replay& replay);

}  // namespace bv::replay
