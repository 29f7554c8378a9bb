#include "services/replay/store/replay_rows.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/json/json.h"

namespace bv::replay {
namespace {

using postgres::Statement;

// Behind the newest of its projection.
constexpr int kVersionsKept = 100;

#define BV_REPLAY_COLUMNS                                                                                \
  "replay_id, projection, purpose, accept_differences, pass_over_refused, until::text AS until, state, " \
  "rows_version, live_version, (extract(epoch FROM started_at) * 1e6)::bigint AS started_at, "           \
  "(extract(epoch FROM ended_at) * 1e6)::bigint AS ended_at, cancel_requested, messages_applied, "       \
  "messages_in_all, messages_per_second, messages_refused, parity::text AS parity, failure"

// What stands in a row was written by this code.
template <class Message>
Message MessageOf(const pqxx::field& field) {
  Message message;
  const absl::Status parsed = json::Parse(field.c_str(), message);
  if (!parsed.ok()) throw pqxx::conversion_error(std::string(parsed.message()));
  return message;
}

std::string TextOf(const google::protobuf::Message& message) {
  std::string text;
  const absl::Status written = json::Append(message, text);
  if (!written.ok()) throw pqxx::conversion_error(std::string(written.message()));
  return text;
}

// The two below are empty for none, which SQL takes for NULL.
std::string ParityText(const std::optional<pb::Parity>& parity) {
  return parity ? TextOf(*parity) : "";
}

projections::Positions PositionsOf(const pb::PartitionOffsets& offsets) {
  projections::Positions positions;
  for (const pb::PartitionOffset& end : offsets.offsets())
    positions[{end.topic(), end.partition()}] = end.offset();
  return positions;
}

std::string UntilText(const Replay& replay) {
  if (replay.purpose != Purpose::kPointInTime) return "";
  pb::PartitionOffsets offsets;
  for (const auto& [partition, offset] : replay.until) {
    pb::PartitionOffset& end = *offsets.add_offsets();
    end.set_topic(partition.topic);
    end.set_partition(partition.number);
    end.set_offset(offset);
  }
  return TextOf(offsets);
}

Replay ReplayOf(const pqxx::row& row) {
  Replay replay{.id = ReplayId::Trusted(row["replay_id"].c_str()),
                .projection = row["projection"].c_str(),
                .purpose = PurposeOf(row["purpose"].c_str()),
                .accept_differences = row["accept_differences"].as<bool>(),
                .pass_over_refused = row["pass_over_refused"].as<bool>(),
                .state = StateOf(row["state"].c_str()),
                .rows_version = row["rows_version"].as<int>(),
                .live_version = row["live_version"].as<int>(),
                .started_at = postgres::TimeFromMicros(row["started_at"]),
                .cancel_requested = row["cancel_requested"].as<bool>(),
                .progress = {.applied = row["messages_applied"].as<std::int64_t>(),
                             .in_all = row["messages_in_all"].as<std::int64_t>(),
                             .per_second = row["messages_per_second"].as<double>(),
                             .refused = row["messages_refused"].as<std::int64_t>()},
                .failure = row["failure"].c_str()};
  if (!row["until"].is_null()) replay.until = PositionsOf(MessageOf<pb::PartitionOffsets>(row["until"]));
  if (!row["ended_at"].is_null()) replay.ended_at = postgres::TimeFromMicros(row["ended_at"]);
  if (!row["parity"].is_null()) replay.parity = MessageOf<pb::Parity>(row["parity"]);
  return replay;
}

std::optional<Replay> OnlyOf(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return ReplayOf(rows[0]);
}

}  // namespace

absl::StatusOr<Replay> InsertReplay(postgres::Session& session, Replay replay, const Asker& asker) {
  static constexpr Statement kRunning{
      "replay_running", "SELECT replay_id FROM replay WHERE projection = $1 AND ended_at IS NULL"};
  static constexpr Statement kInsert{"replay_insert", R"sql(
    INSERT INTO replay (replay_id, projection, purpose, accept_differences, pass_over_refused, until, state, rows_version,
                        live_version, started_by, idempotency_key)
    SELECT $1, $2, $3, $4::boolean, $5::boolean, nullif($6, '')::jsonb, $7, greatest($8::int, coalesce(max(rows_version) + 1, 1)), $9::int,
           $10, nullif($11, '')
    FROM replay WHERE projection = $2
    ON CONFLICT DO NOTHING
    RETURNING )sql" BV_REPLAY_COLUMNS};
  static constexpr Statement kForget{
      "replay_forget",
      "DELETE FROM replay WHERE projection = $1 AND rows_version <= $2::int AND ended_at IS NOT NULL"};
  const pqxx::result running = session.Exec(kRunning, replay.projection);
  if (!running.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "REPLAY_RUNNING",
                 Concat("the replay ", running[0][0].c_str(), " of ", replay.projection, " has not ended"));
  }
  const std::optional<Replay> stored = OnlyOf(session.Exec(
      kInsert, replay.id.str(), replay.projection, std::string(Word(replay.purpose)),
      replay.accept_differences, replay.pass_over_refused, UntilText(replay), std::string(Word(replay.state)),
      replay.rows_version, replay.live_version, asker.user_id, asker.idempotency_key));
  if (!stored) {
    return Error(absl::StatusCode::kAborted, "REPLAY_RACED",
                 "another replay was begun at the same moment; nothing was done");
  }
  session.Exec(kForget, stored->projection, stored->rows_version - kVersionsKept);
  return *stored;
}

std::optional<Replay> ReadReplay(postgres::Session& session, const ReplayId& id) {
  static constexpr Statement kRead{"replay_read",
                                   "SELECT " BV_REPLAY_COLUMNS " FROM replay WHERE replay_id = $1"};
  return OnlyOf(session.Exec(kRead, id.str()));
}

std::optional<Replay> ReadReplayOf(postgres::Session& session, const Asker& asker) {
  static constexpr Statement kRead{"replay_read_of_key",
                                   "SELECT " BV_REPLAY_COLUMNS
                                   " FROM replay WHERE started_by = $1 AND idempotency_key = $2"};
  if (asker.idempotency_key.empty()) return std::nullopt;
  return OnlyOf(session.Exec(kRead, asker.user_id, asker.idempotency_key));
}

std::vector<Replay> ReadReplays(postgres::Session& session, const std::string& projection, int limit) {
  static constexpr Statement kRead{"replay_list", "SELECT " BV_REPLAY_COLUMNS
                                                  " FROM replay WHERE projection = $1 "
                                                  "ORDER BY rows_version DESC LIMIT $2::int"};
  std::vector<Replay> replays;
  for (const pqxx::row& row : session.Exec(kRead, projection, limit)) replays.push_back(ReplayOf(row));
  return replays;
}

bool IsMaking(postgres::Session& session, const std::string& projection, int rows_version) {
  static constexpr Statement kRead{
      "replay_making",
      "SELECT FROM replay WHERE projection = $1 AND rows_version = $2::int AND ended_at IS NULL"};
  return !session.Exec(kRead, projection, rows_version).empty();
}

std::optional<Replay> RequestCancel(postgres::Session& session, const ReplayId& id) {
  static constexpr Statement kCancel{
      "replay_cancel", "UPDATE replay SET cancel_requested = true WHERE replay_id = $1 AND ended_at IS NULL"};
  session.Exec(kCancel, id.str());
  return ReadReplay(session, id);
}

std::optional<Replay> ClaimReplay(postgres::Session& session, const std::string& driver,
                                  absl::Duration lease) {
  static constexpr Statement kClaim{"replay_claim", R"sql(
    UPDATE replay SET driver = $1, lease_until = clock_timestamp() + $2::bigint * interval '1 microsecond'
    WHERE replay_id = (SELECT replay_id FROM replay WHERE ended_at IS NULL AND lease_until <= now()
                       ORDER BY started_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING )sql" BV_REPLAY_COLUMNS};
  return OnlyOf(session.Exec(kClaim, driver, absl::ToInt64Microseconds(lease)));
}

std::optional<bool> RenewLease(postgres::Session& session, const ReplayId& id, const std::string& driver,
                               absl::Duration lease, const Progress& progress) {
  // The row may have been waited for.
  static constexpr Statement kRenew{"replay_renew", R"sql(
    UPDATE replay SET lease_until = clock_timestamp() + $3::bigint * interval '1 microsecond',
           messages_applied = $4::bigint, messages_in_all = $5::bigint, messages_per_second = $6::float8,
           messages_refused = $7::bigint
    WHERE replay_id = $1 AND driver = $2 AND ended_at IS NULL
    RETURNING cancel_requested
  )sql"};
  const pqxx::result rows =
      session.Exec(kRenew, id.str(), driver, absl::ToInt64Microseconds(lease), progress.applied,
                   progress.in_all, progress.per_second, progress.refused);
  if (rows.empty()) return std::nullopt;
  return rows[0][0].as<bool>();
}

void ReleaseReplay(postgres::Session& session, const ReplayId& id, const std::string& driver) {
  static constexpr Statement kRelease{
      "replay_release",
      "UPDATE replay SET lease_until = now() WHERE replay_id = $1 AND driver = $2 AND ended_at IS NULL"};
  session.Exec(kRelease, id.str(), driver);
}

bool HoldReplay(postgres::Session& session, const ReplayId& id, const std::string& driver) {
  static constexpr Statement kHold{
      "replay_hold",
      "SELECT FROM replay WHERE replay_id = $1 AND driver = $2 AND ended_at IS NULL FOR UPDATE"};
  return !session.Exec(kHold, id.str(), driver).empty();
}

bool SetComparing(postgres::Session& session, const ReplayId& id, const std::string& driver,
                  const std::optional<pb::Parity>& parity) {
  static constexpr Statement kSet{"replay_set_comparing", R"sql(
    UPDATE replay SET state = 'COMPARING', parity = coalesce(nullif($3, '')::jsonb, parity)
    WHERE replay_id = $1 AND driver = $2 AND ended_at IS NULL
  )sql"};
  return session.Exec(kSet, id.str(), driver, ParityText(parity)).affected_rows() == 1;
}

bool EndReplay(postgres::Session& session, const ReplayId& id, const std::string& driver, State state,
               const std::string& failure, const std::optional<pb::Parity>& parity) {
  // What is done has applied all there was to apply; the last of it came after the progress was stored.
  static constexpr Statement kEnd{"replay_end", R"sql(
    UPDATE replay SET state = $3, failure = $4, parity = coalesce(nullif($5, '')::jsonb, parity), ended_at = clock_timestamp(),
           messages_applied = CASE WHEN $3 = 'DONE' THEN messages_in_all ELSE messages_applied END, messages_per_second = 0
    WHERE replay_id = $1 AND driver = $2 AND ended_at IS NULL
  )sql"};
  return session.Exec(kEnd, id.str(), driver, std::string(Word(state)), failure, ParityText(parity))
             .affected_rows() == 1;
}

}  // namespace bv::replay
