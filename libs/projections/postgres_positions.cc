#include "libs/projections/postgres_positions.h"

#include <pqxx/pqxx>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/strings.h"

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

}  // namespace

Positions ReadPositions(postgres::Session& session, const std::string& name, int rows_version) {
  static constexpr Statement kRead{"projection_positions", R"sql(
    SELECT topic, partition, next_offset FROM projection_position WHERE name = $1 AND rows_version = $2::int
  )sql"};
  return PositionsIn(session.Exec(kRead, name, rows_version));
}

Positions LockPositions(postgres::Session& session, const std::string& name, int rows_version,
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
    return PositionsIn(
        session.Exec(kLock, name, rows_version, ArrayLiteral(topics), ArrayLiteral(partitions)));
  };
  Positions locked = lock();
  if (locked.size() == wanted.size()) return locked;
  session.Exec(kBegin, name, rows_version, ArrayLiteral(topics), ArrayLiteral(partitions));
  return lock();
}

void WritePositions(postgres::Session& session, const std::string& name, int rows_version,
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
  session.Exec(kWrite, name, rows_version, ArrayLiteral(topics), ArrayLiteral(partitions),
               ArrayLiteral(offsets));
}

std::set<std::string> AddEvents(postgres::Session& session, const std::string& name, int rows_version,
                                const std::vector<std::string>& event_ids) {
  static constexpr Statement kAdd{"projection_event_add", R"sql(
    INSERT INTO projection_event (name, rows_version, event_id)
    SELECT $1, $2::int, k.event_id FROM unnest($3::text[]) AS k (event_id)
    ON CONFLICT DO NOTHING
    RETURNING event_id
  )sql"};
  std::set<std::string> added;
  for (const pqxx::row& row : session.Exec(kAdd, name, rows_version, ArrayLiteral(event_ids)))
    added.insert(row[0].c_str());
  return added;
}

absl::StatusOr<LiveVersion> LockLive(postgres::Session& session, const std::string& name, LiveLock lock) {
  static constexpr Statement kShared{"projection_live_shared", R"sql(
    SELECT live_version, made_by FROM projection WHERE name = $1 FOR SHARE
  )sql"};
  static constexpr Statement kExclusive{"projection_live_exclusive", R"sql(
    SELECT live_version, made_by FROM projection WHERE name = $1 FOR UPDATE
  )sql"};
  const pqxx::result found = session.Exec(lock == LiveLock::kShared ? kShared : kExclusive, name);
  if (found.empty()) {
    return NotFound("PROJECTION_NOT_REGISTERED",
                    Concat("nobody makes rows of the projection ", name, " live"));
  }
  return LiveVersion{.rows_version = found[0][0].as<int>(), .made_by = found[0][1].as<int>()};
}

}  // namespace bv::projections
