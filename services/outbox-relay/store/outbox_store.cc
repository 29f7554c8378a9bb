#include "services/outbox-relay/store/outbox_store.h"

#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::relay {
namespace {

using postgres::Statement;

constexpr Statement kSlotState{
    "relay_slot_state", "SELECT coalesce(wal_status, '') FROM pg_replication_slots WHERE slot_name = $1"};
constexpr Statement kDropSlot{"relay_drop_slot", "SELECT pg_drop_replication_slot($1)"};
constexpr Statement kNoteNewSlot{"relay_note_new_slot", R"(
    INSERT INTO outbox.slot (slot_name, rescan_pending) VALUES ($1, true)
    ON CONFLICT (slot_name) DO UPDATE SET rescan_pending = true, created_at = now())"};
constexpr Statement kCreateSlot{"relay_create_slot",
                                "SELECT pg_create_logical_replication_slot($1, 'pgoutput')"};
constexpr Statement kRescanPending{"relay_rescan_pending", R"(
    SELECT coalesce((SELECT rescan_pending FROM outbox.slot WHERE slot_name = $1), true))"};
constexpr Statement kFinishRescan{"relay_finish_rescan", R"(
    INSERT INTO outbox.slot (slot_name, rescan_pending) VALUES ($1, false)
    ON CONFLICT (slot_name) DO UPDATE SET rescan_pending = false)"};
constexpr Statement kFinishEmptyRescan{"relay_finish_empty_rescan", R"(
    UPDATE outbox.slot SET rescan_pending = false WHERE slot_name = $1 AND NOT EXISTS (SELECT FROM outbox.event))"};

// Sorting and waiting for Kafka may take long.
constexpr Statement kNoTimeouts{"relay_no_timeouts", R"(
    SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true))"};
constexpr Statement kOpenCursor{"relay_open_cursor", R"(
    DECLARE retained NO SCROLL CURSOR FOR
    SELECT tenant_id, id, aggregatetype, aggregateid, type, payload, aggregate_version,
           (occurred_at AT TIME ZONE 'UTC')::text || '+00', traceparent, correlation_id
    FROM outbox.event
    ORDER BY seq)"};
constexpr Statement kFetch{"relay_fetch", "FETCH 500 FROM retained"};

// A slot without a bound has no safe_wal_size, and neither has one that is lost.
constexpr Statement kLook{"relay_look", R"(
    SELECT (pg_current_wal_lsn() - '0/0')::bigint,
           coalesce((confirmed_flush_lsn - '0/0')::bigint, 0),
           CASE WHEN wal_status = 'lost' THEN 0 ELSE greatest(safe_wal_size, 0) END
    FROM pg_replication_slots
    WHERE slot_name = $1)"};
constexpr Statement kMakePartitions{"relay_make_partitions", "SELECT outbox.make_partitions($1)"};
constexpr Statement kSealPartitions{"relay_seal_partitions",
                                    "SELECT outbox.seal_partitions(make_interval(secs => $1))"};
constexpr Statement kDropPartition{"relay_drop_partition",
                                   "SELECT outbox.drop_partition(make_interval(secs => $1), $2)"};

std::string_view Text(const pqxx::field& field) {
  return {field.c_str(), field.size()};
}

OutboxEvent EventOf(const pqxx::row& row) {
  return {.tenant_id = Text(row[0]),
          .id = Text(row[1]),
          .aggregate_type = Text(row[2]),
          .aggregate_id = Text(row[3]),
          .type = Text(row[4]),
          .payload = Text(row[5]),
          .aggregate_version = Text(row[6]),
          .occurred_at = Text(row[7]),
          .traceparent = Text(row[8]),
          .correlation_id = Text(row[9])};
}

}  // namespace

OutboxStore::OutboxStore(const postgres::ConnectionSettings& connection)
    : session_(connection, postgres::Plans::kDefault) {}

template <class... Args>
absl::StatusOr<pqxx::result> OutboxStore::Query(const Statement& statement, Args&&... args) {
  pqxx::result result;
  const auto run = [&](postgres::Session& session) {
    result = session.Exec(statement, std::forward<Args>(args)...);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(session_.Read({}, run));
  return result;
}

absl::Status OutboxStore::EnsureSlot(const std::string& slot) {
  ASSIGN_OR_RETURN(const pqxx::result state, Query(kSlotState, slot));
  if (!state.empty()) {
    if (Text(state[0][0]) != "lost") return absl::OkStatus();
    telemetry::Log(telemetry::Level::kError,
                   "the replication slot was given up by PostgreSQL and is made again", {{"slot", slot}});
    RETURN_IF_ERROR(Query(kDropSlot, slot).status());
  }
  RETURN_IF_ERROR(Query(kNoteNewSlot, slot).status());
  const absl::Status created = Query(kCreateSlot, slot).status();
  if (!created.ok()) {
    // Another relay may have been faster.
    ASSIGN_OR_RETURN(const pqxx::result found, Query(kSlotState, slot));
    return found.empty() ? created : absl::OkStatus();
  }
  telemetry::Log(telemetry::Level::kInfo, "replication slot created", {{"slot", slot}});
  // The first slot of a new outbox misses nothing.
  return Query(kFinishEmptyRescan, slot).status();
}

absl::StatusOr<bool> OutboxStore::RescanPending(const std::string& slot) {
  ASSIGN_OR_RETURN(const pqxx::result result, Query(kRescanPending, slot));
  return result[0][0].as<bool>();
}

absl::Status OutboxStore::FinishRescan(const std::string& slot) {
  return Query(kFinishRescan, slot).status();
}

absl::Status OutboxStore::ForEachRetained(const std::function<absl::Status(const OutboxEvent&)>& visit) {
  return session_.Transact({}, [&](postgres::Session& session) -> absl::Status {
    session.Exec(kNoTimeouts);
    session.Exec(kOpenCursor);
    while (true) {
      const pqxx::result rows = session.Exec(kFetch);
      if (rows.empty()) return absl::OkStatus();
      for (const auto& row : rows) RETURN_IF_ERROR(visit(EventOf(row)));
    }
  });
}

absl::StatusOr<SlotView> OutboxStore::Look(const std::string& slot) {
  ASSIGN_OR_RETURN(const pqxx::result result, Query(kLook, slot));
  if (result.empty()) return absl::NotFoundError(Concat("no replication slot ", slot));
  const pqxx::row row = result[0];
  SlotView view{.log_end = row[0].as<Lsn>(), .confirmed = row[1].as<Lsn>(), .room_bytes = std::nullopt};
  if (!row[2].is_null()) view.room_bytes = row[2].as<std::int64_t>();
  return view;
}

absl::StatusOr<int> OutboxStore::MakePartitions(int days) {
  ASSIGN_OR_RETURN(const pqxx::result result, Query(kMakePartitions, days));
  return result[0][0].as<int>();
}

absl::StatusOr<int> OutboxStore::DropPartitions(absl::Duration retention, const std::string& slot) {
  const double seconds = absl::ToDoubleSeconds(retention);
  // First what was sealed before: the position that a new seal notes is confirmed a moment later at best.
  int dropped = 0;
  while (true) {
    ASSIGN_OR_RETURN(const pqxx::result result, Query(kDropPartition, seconds, slot));
    if (result[0][0].is_null()) break;
    ++dropped;
    telemetry::Log(telemetry::Level::kInfo, "outbox partition dropped",
                   {{"partition", result[0][0].c_str()}});
  }
  RETURN_IF_ERROR(Query(kSealPartitions, seconds).status());
  return dropped;
}

}  // namespace bv::relay
