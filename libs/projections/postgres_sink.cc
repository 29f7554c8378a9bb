#include "libs/projections/postgres_sink.h"

#include <pqxx/pqxx>
#include <set>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/projections/postgres_statements.h"
#include "libs/telemetry/telemetry.h"

namespace bv::projections {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

Positions PositionsIn(const pqxx::result& rows) {
  Positions positions;
  for (const pqxx::row& row : rows)
    positions[{row["topic"].c_str(), row["partition"].as<int>()}] = row["next_offset"].as<std::int64_t>();
  return positions;
}

// Locked until the end of the transaction, so that two writers of the same rows take turns.
Positions LockPositions(postgres::Session& session, const std::string& name, int version,
                        const Positions& wanted) {
  static constexpr Statement kLock{"projection_position_lock", R"sql(
    SELECT p.topic, p.partition, p.next_offset
    FROM unnest($3::text[], $4::bigint[]) WITH ORDINALITY AS k (topic, partition, n)
    CROSS JOIN LATERAL (
      SELECT * FROM projection_position q
      WHERE q.name = $1 AND q.rows_version = $2::int AND q.topic = k.topic AND q.partition = k.partition FOR UPDATE
    ) AS p
    ORDER BY k.n
  )sql"};
  static constexpr Statement kBegin{"projection_position_begin", R"sql(
    INSERT INTO projection_position (name, rows_version, topic, partition, next_offset)
    SELECT $1, $2::int, k.topic, k.partition, 0 FROM unnest($3::text[], $4::bigint[]) AS k (topic, partition)
    ON CONFLICT DO NOTHING
  )sql"};
  std::vector<std::string> topics;
  std::vector<std::int64_t> partitions;
  for (const auto& [partition, position] : wanted) {
    topics.push_back(partition.topic);
    partitions.push_back(partition.number);
  }
  const auto lock = [&] {
    return PositionsIn(session.Exec(kLock, name, version, ArrayLiteral(topics), ArrayLiteral(partitions)));
  };
  Positions locked = lock();
  if (locked.size() == wanted.size()) return locked;
  session.Exec(kBegin, name, version, ArrayLiteral(topics), ArrayLiteral(partitions));
  return lock();
}

void WritePositions(postgres::Session& session, const std::string& name, int version,
                    const Positions& positions) {
  static constexpr Statement kWrite{"projection_position_write", R"sql(
    INSERT INTO projection_position AS p (name, rows_version, topic, partition, next_offset)
    SELECT $1, $2::int, k.topic, k.partition, k.next_offset
    FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS k (topic, partition, next_offset)
    ON CONFLICT (name, rows_version, topic, partition)
      DO UPDATE SET next_offset = greatest(p.next_offset, excluded.next_offset)
  )sql"};
  std::vector<std::string> topics;
  std::vector<std::int64_t> partitions, offsets;
  for (const auto& [partition, offset] : positions) {
    topics.push_back(partition.topic);
    partitions.push_back(partition.number);
    offsets.push_back(offset);
  }
  session.Exec(kWrite, name, version, ArrayLiteral(topics), ArrayLiteral(partitions), ArrayLiteral(offsets));
}

// What the batch changes beyond the positions, each row once.
absl::StatusOr<RowsByKey> Fold(const Projection& projection, const Batch& batch, const Positions& applied) {
  RowsByKey rows;
  for (const SourcedChange& sourced : batch.changes) {
    const auto position = applied.find(sourced.partition);
    if (position != applied.end() && sourced.offset < position->second) continue;
    RETURN_IF_ERROR(CheckFits(projection.shape, sourced.change));
    RowKey key(sourced.change.tenant, sourced.change.key);
    const auto row = rows.try_emplace(key, EmptyRow(projection.shape, key)).first;
    RETURN_IF_ERROR(Merge(sourced.change, row->second));
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
  static constexpr Statement kLive{"projection_live",
                                   "SELECT live_version FROM projection WHERE name = $1 FOR SHARE"};
  if (rows_version_) return *rows_version_;
  const pqxx::result found = session.Exec(kLive, projection.name);
  if (found.empty())
    return absl::FailedPreconditionError(Concat("the projection ", projection.name, " is not registered"));
  return found[0][0].as<int>();
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
  ASSIGN_OR_RETURN(const int version, RowsVersion(session, projection));
  const Positions applied = LockPositions(session, projection.name, version, batch.positions);
  ASSIGN_OR_RETURN(const RowsByKey rows, Fold(projection, batch, applied));
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
  static constexpr Statement kPositions{"projection_positions", R"sql(
    SELECT topic, partition, next_offset FROM projection_position WHERE name = $1 AND rows_version = $2::int
  )sql"};
  static constexpr Statement kFetch{"projection_scan_fetch", "FETCH 2000 FROM projection_scan"};
  Positions positions;
  RETURN_IF_ERROR(
      scan_session_.Transact({postgres::EveryTenant()}, [&](postgres::Session& session) -> absl::Status {
        session.Exec(kOneMoment);
        ASSIGN_OR_RETURN(const int version, RowsVersion(session, projection));
        positions = PositionsIn(session.Exec(kPositions, projection.name, version));
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
