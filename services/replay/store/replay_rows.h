// The rows of the table `replay`. The functions throw what libpqxx throws; the session needs no tenant.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "commerce/replay/v1/service.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/projections/sink.h"
#include "services/replay/domain/replay.h"

namespace bv::replay {

namespace pb = commerce::replay::v1;

struct Progress {
  // Messages that are in the rows, and as many as there are to apply.
  std::int64_t applied = 0, in_all = 0;
  double per_second = 0;
  std::int64_t refused = 0;
};

struct Replay {
  ReplayId id;
  std::string projection;
  Purpose purpose = Purpose::kRebuild;
  bool accept_differences = false;
  bool pass_over_refused = false;
  // Of kPointInTime: where each partition ends.
  projections::Positions until;
  State state = State::kBuilding;
  int rows_version = 0;
  int live_version = 0;
  absl::Time started_at;
  std::optional<absl::Time> ended_at;
  bool cancel_requested = false;
  Progress progress;
  std::optional<pb::Parity> parity;
  std::string failure;

  bool ended() const { return ended_at.has_value(); }
};

// Who asked, under which key; both may be empty.
struct Asker {
  std::string user_id;
  std::string idempotency_key;
};

// --- For the calls

// Stores a new replay; its rows get `rows_version`, or a higher one if that was given away already, and what
// is far behind it is forgotten. FAILED_PRECONDITION, reason REPLAY_RUNNING; ABORTED when another was stored
// at the same moment.
absl::StatusOr<Replay> InsertReplay(postgres::Session& session, Replay replay, const Asker& asker);
std::optional<Replay> ReadReplay(postgres::Session& session, const ReplayId& id);
std::optional<Replay> ReadReplayOf(postgres::Session& session, const Asker& asker);
// Of a projection, the newest first, `limit` at most.
std::vector<Replay> ReadReplays(postgres::Session& session, const std::string& projection, int limit);
// Whether a replay makes these rows at the moment.
bool IsMaking(postgres::Session& session, const std::string& projection, int rows_version);
// Nothing for one that has ended. Returns how it is then.
std::optional<Replay> RequestCancel(postgres::Session& session, const ReplayId& id);

// --- For drivers: `driver` is a name that no other has, at any time.

// Takes a replay that has not ended and that nobody drives, for as long as `lease`, by the database's clock.
std::optional<Replay> ClaimReplay(postgres::Session& session, const std::string& driver,
                                  absl::Duration lease);
// Prolongs the lease and stores the progress. Returns whether it is to be canceled; absent when the replay is
// another driver's by now, or has ended.
std::optional<bool> RenewLease(postgres::Session& session, const ReplayId& id, const std::string& driver,
                               absl::Duration lease, const Progress& progress);
// Lets others claim it at once.
void ReleaseReplay(postgres::Session& session, const ReplayId& id, const std::string& driver);
// Whether it is this driver's; it stays so until the end of the transaction, and nobody else sees or changes
// it meanwhile.
bool HoldReplay(postgres::Session& session, const ReplayId& id, const std::string& driver);
// The two return false when the replay is another driver's by now. The parity is left as it is when there is
// none.
bool SetComparing(postgres::Session& session, const ReplayId& id, const std::string& driver,
                  const std::optional<pb::Parity>& parity);
bool EndReplay(postgres::Session& session, const ReplayId& id, const std::string& driver, State state,
               const std::string& failure, const std::optional<pb::Parity>& parity);

}  // namespace bv::replay
