// What the relay asks of PostgreSQL beside the replication stream: its slot, the partitions of the outbox,
// the lag, the re-scan.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <optional>
#include <string>

#include "libs/postgres/postgres.h"
#include "services/outbox-relay/domain/pgoutput.h"
#include "services/outbox-relay/relay/outbox_event.h"

namespace bv::relay {

// A slot and the log, at one moment.
struct SlotView {
  Lsn log_end = 0;
  Lsn confirmed = 0;
  // How much may still be written before PostgreSQL gives the slot up (max_slot_wal_keep_size): 0 when it
  // has, absent when it never does.
  std::optional<std::int64_t> room_bytes;
};

// One connection, used by one thread; it comes back by itself. UNAVAILABLE while the server is away.
class OutboxStore {
 public:
  explicit OutboxStore(const postgres::ConnectionSettings& connection);

  // Makes the slot when there is none, or when PostgreSQL has given it up because it held back too much log
  // (max_slot_wal_keep_size). A new slot begins at "now", so it is first noted that everything retained has
  // to be published again.
  absl::Status EnsureSlot(const std::string& slot);
  // True also for a slot that somebody else made: what it missed is not known.
  absl::StatusOr<bool> RescanPending(const std::string& slot);
  absl::Status FinishRescan(const std::string& slot);
  // Every retained event, in the order of seq, which is right within an aggregate. Ends at the first error of
  // `visit`.
  absl::Status ForEachRetained(const std::function<absl::Status(const OutboxEvent&)>& visit);

  // NOT_FOUND when there is no such slot.
  absl::StatusOr<SlotView> Look(const std::string& slot);

  // Partitions for today and `days` more; returns how many were made.
  absl::StatusOr<int> MakePartitions(int days);
  // Drops partitions that are older than `retention` and wholly confirmed; returns how many.
  absl::StatusOr<int> DropPartitions(absl::Duration retention, const std::string& slot);

 private:
  template <class... Args>
  absl::StatusOr<pqxx::result> Query(const postgres::Statement& statement, Args&&... args);

  postgres::Session session_;
};

}  // namespace bv::relay
