// The versions of a projection's rows in PostgreSQL: a new one beside the live one, the switch, and the end
// of an old one.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <span>
#include <vector>

#include "libs/postgres/postgres.h"
#include "libs/projections/sink.h"

namespace bv::projections {

struct RowsVersions {
  int live = 0;
  // The version of the function that made the live rows.
  int made_by = 0;
  // The live one, and all that have positions, growing: rows come and go with these.
  std::vector<int> all;
};

// Used by one thread at a time.
class PostgresVersions {
 public:
  explicit PostgresVersions(const postgres::ConnectionSettings& connection);

  // NOT_FOUND, reason PROJECTION_NOT_REGISTERED, when nobody has ever made rows of it live
  // (PostgresSink::Register).
  absl::StatusOr<RowsVersions> Of(const Projection& projection);

  // Has `rows_version` read, in one transaction, in which nobody can write to the live version: `catch_up` is
  // called with the positions of the live rows, and brings the new ones to exactly these, in sessions of its
  // own, within the connection's statement_timeout. Not OK: nothing was switched, except that with
  // CommitUnknown it may have been: call it again. OK without a call when they are read already.
  absl::Status Switch(const Projection& projection, int rows_version,
                      const std::function<absl::Status(const Positions&)>& catch_up);

  // Deletes rows and positions of a version, a part at a time, so that no transaction becomes long. Call it
  // again after a failure. FAILED_PRECONDITION, reason ROWS_IN_USE, when it is the live one.
  absl::Status Drop(const Projection& projection, int rows_version);

 private:
  // Returns how many rows of these tenants; without tenants, of the ids of events.
  absl::StatusOr<int> DropSome(const Projection& projection, int rows_version,
                               std::span<const TenantId> tenants);

  postgres::Session session_;
};

}  // namespace bv::projections
