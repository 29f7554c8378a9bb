#include "libs/projections/postgres_sink.h"

#include <map>
#include <pqxx/pqxx>
#include <set>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/projections/postgres_positions.h"
#include "libs/projections/postgres_statements.h"
#include "libs/telemetry/telemetry.h"

namespace bv::projections {
namespace {

using postgres::Statement;

using Changes = std::vector<const SourcedChange*>;

// Of the batch what is behind the positions.
Changes Behind(const Batch& batch, const Positions& applied) {
  Changes changes;
  for (const SourcedChange& sourced : batch.changes) {
    const auto position = applied.find(sourced.partition);
    if (position == applied.end() || sourced.offset >= position->second) changes.push_back(&sourced);
  }
  return changes;
}

// Without the events that the sums have already, or that come a second time among the changes.
absl::StatusOr<Changes> OnceEach(postgres::Session& session, const std::string& name, int version,
                                 const Changes& changes) {
  using Place = std::pair<Partition, std::int64_t>;
  std::map<std::string, Place> first;
  std::vector<std::string> ids;
  for (const SourcedChange* sourced : changes) {
    if (sourced->event_id.empty()) return InvalidValue("eventId", "must not be empty where sums are kept");
    if (first.try_emplace(sourced->event_id, sourced->partition, sourced->offset).second)
      ids.push_back(sourced->event_id);
  }
  if (ids.empty()) return Changes();
  const std::set<std::string> added = AddEvents(session, name, version, ids);
  Changes once;
  for (const SourcedChange* sourced : changes) {
    const bool is_first = first[sourced->event_id] == Place(sourced->partition, sourced->offset);
    if (is_first && added.contains(sourced->event_id)) once.push_back(sourced);
  }
  return once;
}

// What the changes come to, each row once.
absl::StatusOr<RowsByKey> Fold(const Projection& projection, const Changes& changes) {
  RowsByKey rows;
  for (const SourcedChange* sourced : changes) {
    RETURN_IF_ERROR(CheckFits(projection.shape, sourced->change));
    RowKey key(sourced->change.tenant, sourced->change.key);
    auto row = rows.find(key);
    if (row == rows.end()) row = rows.emplace(key, EmptyRow(projection.shape, key)).first;
    RETURN_IF_ERROR(Merge(sourced->change, row->second));
  }
  return rows;
}

}  // namespace

// Text that libpqxx keeps pointing to.
struct PostgresSink::Statements {
  std::string write_name, write_sql;
};

PostgresSink::PostgresSink(const postgres::ConnectionSettings& connection, std::optional<int> rows_version)
    : session_(connection, postgres::Plans::kIndexOnly),
      scan_session_(connection, postgres::Plans::kDefault),
      rows_version_(rows_version) {}

PostgresSink::~PostgresSink() = default;

const PostgresSink::Statements& PostgresSink::StatementsOf(const Projection& projection) {
  std::unique_ptr<Statements>& statements = statements_[projection.name];
  if (!statements) {
    statements = std::make_unique<Statements>(
        Statements{"projection_write_" + projection.name, WriteSql(projection.name, projection.shape)});
  }
  return *statements;
}

absl::Status PostgresSink::Register(const Projection& projection) {
  static constexpr Statement kRegister{"projection_register", R"sql(
    INSERT INTO projection (name, live_version, made_by) VALUES ($1, 1, $2::int) ON CONFLICT DO NOTHING
  )sql"};
  static constexpr Statement kRead{"projection_made_by", "SELECT made_by FROM projection WHERE name = $1"};
  int made_by = 0;
  RETURN_IF_ERROR(session_.Transact({}, [&](postgres::Session& session) {
    session.Exec(kRegister, projection.name, projection.version);
    made_by = session.Exec(kRead, projection.name)[0][0].as<int>();
    return absl::OkStatus();
  }));
  const bool outdated = made_by != projection.version;
  telemetry::Gauge("projection_outdated",
                   "1: the live rows were made by another version of the projection than the one that runs.",
                   {{"projection", projection.name}})
      .Set(outdated ? 1 : 0);
  if (outdated) {
    telemetry::Log(telemetry::Level::kWarn, "the rows of a projection have to be rebuilt",
                   {{"projection", projection.name}, {"madeBy", made_by}, {"version", projection.version}});
  }
  return absl::OkStatus();
}

absl::StatusOr<int> PostgresSink::RowsVersion(postgres::Session& session, const Projection& projection) {
  if (rows_version_) return *rows_version_;
  ASSIGN_OR_RETURN(const LiveVersion live, LockLive(session, projection.name, LiveLock::kShared));
  return live.rows_version;
}

absl::Status PostgresSink::Apply(const Projection& projection, const Batch& batch) {
  if (batch.positions.empty()) return absl::OkStatus();
  std::set<TenantId> tenants;
  for (const SourcedChange& sourced : batch.changes) tenants.insert(sourced.change.tenant);
  RETURN_IF_ERROR(session_.Transact({tenants.begin(), tenants.end()}, [&](postgres::Session& session) {
    return Store(session, projection, batch);
  }));
  CrashPoint("projections.rows.committed");
  return absl::OkStatus();
}

absl::Status PostgresSink::Store(postgres::Session& session, const Projection& projection,
                                 const Batch& batch) {
  static constexpr Statement kDurableLater{"projection_durable_later", "SET LOCAL synchronous_commit = off"};
  if (rows_version_) session.Exec(kDurableLater);
  ASSIGN_OR_RETURN(const int version, RowsVersion(session, projection));
  const Positions applied = LockPositions(session, projection.name, version, batch.positions);
  Changes changes = Behind(batch, applied);
  if (!projection.shape.sums.empty()) {
    ASSIGN_OR_RETURN(changes, OnceEach(session, projection.name, version, changes));
  }
  ASSIGN_OR_RETURN(const RowsByKey rows, Fold(projection, changes));
  if (!rows.empty()) {
    const Statements& statements = StatementsOf(projection);
    const std::vector<std::string> columns = ColumnsOf(projection.shape, rows);
    session.Exec({statements.write_name.c_str(), statements.write_sql.c_str()}, version,
                 pqxx::prepare::make_dynamic_params(columns));
  }
  WritePositions(session, projection.name, version, batch.positions);
  CrashPoint("projections.rows.written");
  return absl::OkStatus();
}

absl::StatusOr<Positions> PostgresSink::PositionsOf(const Projection& projection) {
  return Scan(projection, nullptr);
}

absl::StatusOr<Positions> PostgresSink::Scan(const Projection& projection,
                                             const std::function<void(const Row&)>& visit) {
  static constexpr Statement kOneMoment{"projection_scan_moment",
                                        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"};
  static constexpr Statement kFetch{"projection_scan_fetch", "FETCH 2000 FROM projection_scan"};
  Positions positions;
  RETURN_IF_ERROR(
      scan_session_.Transact({postgres::EveryTenant()}, [&](postgres::Session& session) -> absl::Status {
        session.Exec(kOneMoment);
        ASSIGN_OR_RETURN(const int version, RowsVersion(session, projection));
        positions = ReadPositions(session, projection.name, version);
        if (!visit) return absl::OkStatus();
        const std::string name = Concat("projection_scan_", projection.name, "_", version);
        const std::string sql = ScanSql(projection.name, projection.shape, version);
        session.Exec({name.c_str(), sql.c_str()});
        while (true) {
          const pqxx::result rows = session.Exec(kFetch);
          if (rows.empty()) return absl::OkStatus();
          for (const pqxx::row& row : rows) visit(RowOf(projection.shape, row));
        }
      }));
  return positions;
}

}  // namespace bv::projections
