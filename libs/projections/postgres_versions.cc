#include "libs/projections/postgres_versions.h"

#include <algorithm>
#include <pqxx/pqxx>
#include <span>
#include <string>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/projections/postgres_positions.h"
#include "libs/projections/postgres_statements.h"

namespace bv::projections {
namespace {

using postgres::Statement;

// Of one transaction.
constexpr int kDeletedAtOnce = 10'000;
constexpr std::size_t kTenantsAtOnce = 100;

std::vector<TenantId> TenantsOf(postgres::Session& session, const Projection& projection, int rows_version) {
  const std::string name = Concat("projection_tenants_", projection.name);
  const std::string sql = TenantsSql(projection.name);
  std::vector<TenantId> tenants;
  for (const pqxx::row& row : session.Exec({name.c_str(), sql.c_str()}, rows_version))
    tenants.push_back(TenantId::Trusted(row[0].c_str()));
  return tenants;
}

// Returns how many; fewer than kDeletedAtOnce: there are no more.
int DeleteRows(postgres::Session& session, const Projection& projection, int rows_version,
               std::span<const TenantId> tenants) {
  const std::string name = Concat("projection_delete_", projection.name);
  const std::string sql = DeleteSql(projection.name);
  std::vector<std::string> ids;
  for (const TenantId& tenant : tenants) ids.push_back(tenant.str());
  return static_cast<int>(
      session.Exec({name.c_str(), sql.c_str()}, rows_version, postgres::ArrayLiteral(ids), kDeletedAtOnce)
          .affected_rows());
}

// Returns as DeleteRows.
int DeleteEvents(postgres::Session& session, const Projection& projection, int rows_version) {
  static constexpr Statement kDelete{"projection_events_delete", R"sql(
    DELETE FROM projection_event WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM projection_event WHERE name = $1 AND rows_version = $2::int LIMIT $3::int
    ))
  )sql"};
  return static_cast<int>(
      session.Exec(kDelete, projection.name, rows_version, kDeletedAtOnce).affected_rows());
}

void DeletePositions(postgres::Session& session, const Projection& projection, int rows_version) {
  static constexpr Statement kDelete{"projection_positions_delete", R"sql(
    DELETE FROM projection_position WHERE name = $1 AND rows_version = $2::int
  )sql"};
  session.Exec(kDelete, projection.name, rows_version);
}

absl::Status CheckNotLive(postgres::Session& session, const Projection& projection, int rows_version) {
  ASSIGN_OR_RETURN(const LiveVersion live, LockLive(session, projection.name, LiveLock::kShared));
  if (live.rows_version != rows_version) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "ROWS_IN_USE",
               Concat("version ", rows_version, " of ", projection.name, " is the one that is read"));
}

}  // namespace

PostgresVersions::PostgresVersions(const postgres::ConnectionSettings& connection)
    : session_(connection, postgres::Plans::kIndexOnly) {}

absl::StatusOr<RowsVersions> PostgresVersions::Of(const Projection& projection) {
  static constexpr Statement kVersions{"projection_versions", R"sql(
    SELECT DISTINCT rows_version FROM projection_position WHERE name = $1
    UNION SELECT $2::int
    ORDER BY rows_version
  )sql"};
  RowsVersions versions;
  RETURN_IF_ERROR(session_.Transact({}, [&](postgres::Session& session) -> absl::Status {
    ASSIGN_OR_RETURN(const LiveVersion live, LockLive(session, projection.name, LiveLock::kShared));
    versions = {.live = live.rows_version, .made_by = live.made_by};
    for (const pqxx::row& row : session.Exec(kVersions, projection.name, live.rows_version))
      versions.all.push_back(row[0].as<int>());
    return absl::OkStatus();
  }));
  return versions;
}

absl::Status PostgresVersions::Switch(const Projection& projection, int rows_version,
                                      const std::function<absl::Status(const Positions&)>& catch_up) {
  // A replay that hangs in the middle must not keep the live path waiting.
  static constexpr Statement kBounded{"projection_switch_bounded", R"sql(
    SELECT set_config('idle_in_transaction_session_timeout', current_setting('statement_timeout'), true)
  )sql"};
  static constexpr Statement kSwitch{"projection_switch", R"sql(
    UPDATE projection SET live_version = $2::int, made_by = $3::int WHERE name = $1
  )sql"};
  const std::string& name = projection.name;
  return session_.Transact({}, [&](postgres::Session& session) -> absl::Status {
    session.Exec(kBounded);
    ASSIGN_OR_RETURN(const LiveVersion live, LockLive(session, name, LiveLock::kExclusive));
    if (live.rows_version == rows_version) return absl::OkStatus();
    const Positions positions = ReadPositions(session, name, live.rows_version);
    RETURN_IF_ERROR(catch_up(positions));
    if (WithoutZeros(ReadPositions(session, name, rows_version)) != WithoutZeros(positions)) {
      return Error(absl::StatusCode::kAborted, "POSITIONS_DIFFER",
                   "the new rows are not at the positions of the live ones");
    }
    session.Exec(kSwitch, name, rows_version, projection.version);
    CrashPoint("projections.switch.written");
    return absl::OkStatus();
  });
}

absl::StatusOr<int> PostgresVersions::DropSome(const Projection& projection, int rows_version,
                                               std::span<const TenantId> tenants) {
  int deleted = 0;
  const auto delete_some = [&](postgres::Session& session) -> absl::Status {
    RETURN_IF_ERROR(CheckNotLive(session, projection, rows_version));
    deleted = tenants.empty() ? DeleteEvents(session, projection, rows_version)
                              : DeleteRows(session, projection, rows_version, tenants);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(session_.Transact({tenants.begin(), tenants.end()}, delete_some));
  CrashPoint("projections.drop.part");
  return deleted;
}

absl::Status PostgresVersions::Drop(const Projection& projection, int rows_version) {
  std::vector<TenantId> tenants;
  RETURN_IF_ERROR(session_.Read({postgres::EveryTenant()}, [&](postgres::Session& session) {
    tenants = TenantsOf(session, projection, rows_version);
    return absl::OkStatus();
  }));
  for (std::span<const TenantId> left = tenants; !left.empty();) {
    const std::span<const TenantId> together = left.first(std::min(left.size(), kTenantsAtOnce));
    ASSIGN_OR_RETURN(const int deleted, DropSome(projection, rows_version, together));
    if (deleted < kDeletedAtOnce) left = left.subspan(together.size());
  }
  for (int deleted = kDeletedAtOnce; deleted == kDeletedAtOnce;) {
    ASSIGN_OR_RETURN(deleted, DropSome(projection, rows_version, {}));
  }
  return session_.Transact({}, [&](postgres::Session& session) {
    RETURN_IF_ERROR(CheckNotLive(session, projection, rows_version));
    DeletePositions(session, projection, rows_version);
    return absl::OkStatus();
  });
}

}  // namespace bv::projections
