#include "libs/events/consumer_position.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "libs/kafka/progress.h"

namespace bv::events {

const char kPositionTables[] = R"sql(
CREATE TABLE consumer_position (
  consumer_group   text    NOT NULL,
  topic            text    NOT NULL,
  partition_number integer NOT NULL,
  next_offset      bigint  NOT NULL,
  PRIMARY KEY (consumer_group, topic, partition_number)
);
CREATE TABLE consumer_set_aside (
  consumer_group   text    NOT NULL,
  topic            text    NOT NULL,
  partition_number integer NOT NULL,
  event_offset     bigint  NOT NULL,
  has_effect       boolean NOT NULL,
  noted_at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer_group, topic, partition_number, event_offset)
);
)sql";

namespace {

using kafka::Offsets;
using kafka::PartitionId;

// Rows of (topic, partition, offset) as arrays for unnest.
struct Rows {
  std::vector<std::string> topics;
  std::vector<std::int64_t> partitions;
  std::vector<std::int64_t> offsets;

  void Add(const PartitionId& partition, std::int64_t offset) {
    topics.push_back(partition.first);
    partitions.push_back(partition.second);
    offsets.push_back(offset);
  }
  bool empty() const { return topics.empty(); }
};

pqxx::result Exec(postgres::Session& session, const postgres::Statement& statement, const std::string& group,
                  const Rows& rows) {
  return session.Exec(statement, group, postgres::ArrayLiteral(rows.topics),
                      postgres::ArrayLiteral(rows.partitions), postgres::ArrayLiteral(rows.offsets));
}

PartitionId PartitionOf(const kafka::Message& message) {
  return {message.topic, message.partition};
}

// The next offset of each of the partitions of `rows`, locked until the transaction ends.
Offsets Lock(postgres::Session& session, const std::string& group, const Rows& rows) {
  static constexpr postgres::Statement kLock{"consumer_position_lock", R"sql(
    SELECT p.topic, p.partition_number, p.next_offset
    FROM consumer_position p
    WHERE p.consumer_group = $1
      AND (p.topic, p.partition_number) IN (
        SELECT t, n FROM unnest($2::text[], $3::int[], $4::bigint[]) AS u (t, n, o)
      )
    ORDER BY p.topic, p.partition_number
    FOR UPDATE
  )sql"};
  static constexpr postgres::Statement kBegin{"consumer_position_begin", R"sql(
    INSERT INTO consumer_position (consumer_group, topic, partition_number, next_offset)
    SELECT DISTINCT $1, t, n, 0
    FROM unnest($2::text[], $3::int[], $4::bigint[]) AS u (t, n, o)
    ORDER BY t, n
    ON CONFLICT DO NOTHING
  )sql"};
  std::map<PartitionId, bool> asked;
  for (std::size_t i = 0; i < rows.topics.size(); ++i)
    asked[{rows.topics[i], static_cast<int>(rows.partitions[i])}] = true;
  pqxx::result found = Exec(session, kLock, group, rows);
  if (static_cast<std::size_t>(found.size()) < asked.size()) {
    Exec(session, kBegin, group, rows);
    found = Exec(session, kLock, group, rows);
  }
  Offsets next;
  for (const pqxx::row& row : found)
    next[{row[0].as<std::string>(), row[1].as<int>()}] = row[2].as<std::int64_t>();
  return next;
}

using EventId = std::pair<PartitionId, std::int64_t>;

// Whether those of `rows` that were set aside have had their effect.
std::map<EventId, bool> SetAsideOf(postgres::Session& session, const std::string& group, const Rows& rows) {
  static constexpr postgres::Statement kRead{"consumer_set_aside_read", R"sql(
    SELECT s.topic, s.partition_number, s.event_offset, s.has_effect
    FROM unnest($2::text[], $3::int[], $4::bigint[]) AS u (t, n, o)
    JOIN consumer_set_aside s
      ON s.consumer_group = $1 AND s.topic = u.t AND s.partition_number = u.n AND s.event_offset = u.o
  )sql"};
  std::map<EventId, bool> found;
  for (const pqxx::row& row : Exec(session, kRead, group, rows)) {
    found[{{row[0].as<std::string>(), row[1].as<int>()}, row[2].as<std::int64_t>()}] = row[3].as<bool>();
  }
  return found;
}

// What a batch changes.
struct Changes {
  Offsets next;
  // Of set-aside events: their row goes, or says that they have had their effect.
  Rows removed;
  Rows effected;
};

// Notes that the event is taken; false when it has had its effect already.
bool TakeOne(const Event& event, std::int64_t next, std::optional<bool> set_aside, Changes& changes) {
  const PartitionId partition = PartitionOf(event.message);
  const std::int64_t offset = event.message.offset;
  if (set_aside.value_or(false)) return false;
  if (!set_aside && offset < next) return false;
  // One that comes from where it was parked says nothing of those before it in the topic.
  if (!event.retried) {
    std::int64_t& reached = changes.next.try_emplace(partition, next).first->second;
    reached = std::max(reached, offset + 1);
  }
  if (event.retried && offset >= next) {
    changes.effected.Add(partition, offset);
  } else if (set_aside) {
    changes.removed.Add(partition, offset);
  }
  return true;
}

void Store(postgres::Session& session, const std::string& group, const Changes& changes) {
  static constexpr postgres::Statement kAdvance{"consumer_position_advance", R"sql(
    UPDATE consumer_position p SET next_offset = u.o
    FROM unnest($2::text[], $3::int[], $4::bigint[]) AS u (t, n, o)
    WHERE p.consumer_group = $1 AND p.topic = u.t AND p.partition_number = u.n AND p.next_offset < u.o
  )sql"};
  static constexpr postgres::Statement kRemove{"consumer_set_aside_remove", R"sql(
    DELETE FROM consumer_set_aside s
    USING unnest($2::text[], $3::int[], $4::bigint[]) AS u (t, n, o)
    WHERE s.consumer_group = $1 AND s.topic = u.t AND s.partition_number = u.n AND s.event_offset = u.o
  )sql"};
  static constexpr postgres::Statement kEffected{"consumer_set_aside_effected", R"sql(
    INSERT INTO consumer_set_aside (consumer_group, topic, partition_number, event_offset, has_effect)
    SELECT $1, t, n, o, true FROM unnest($2::text[], $3::int[], $4::bigint[]) AS u (t, n, o)
    ON CONFLICT (consumer_group, topic, partition_number, event_offset) DO UPDATE SET has_effect = true
  )sql"};
  Rows next;
  for (const auto& [partition, offset] : changes.next) next.Add(partition, offset);
  if (!next.empty()) Exec(session, kAdvance, group, next);
  if (!changes.removed.empty()) Exec(session, kRemove, group, changes.removed);
  if (!changes.effected.empty()) Exec(session, kEffected, group, changes.effected);
}

// Rows that say nothing any more, and those whose dead letters are gone, too.
void CleanUp(postgres::Session& session, const std::string& group) {
  static constexpr postgres::Statement kCleanUp{"consumer_set_aside_clean_up", R"sql(
    DELETE FROM consumer_set_aside s
    USING consumer_position p
    WHERE s.consumer_group = $1
      AND p.consumer_group = s.consumer_group AND p.topic = s.topic AND p.partition_number = s.partition_number
      AND s.event_offset < p.next_offset
      AND (s.has_effect OR s.noted_at < now() - interval '90 days')
  )sql"};
  session.Exec(kCleanUp, group);
}

}  // namespace

std::vector<const Event*> Positions::Take(postgres::Session& session, std::span<const Event> events) const {
  std::vector<const Event*> taken;
  if (events.empty()) return taken;
  Rows rows;
  for (const Event& event : events) rows.Add(PartitionOf(event.message), event.message.offset);
  const Offsets next = Lock(session, group_, rows);
  const std::map<EventId, bool> set_aside = SetAsideOf(session, group_, rows);
  Changes changes;
  for (const Event& event : events) {
    const PartitionId partition = PartitionOf(event.message);
    const auto found = set_aside.find({partition, event.message.offset});
    const std::optional<bool> row =
        found == set_aside.end() ? std::nullopt : std::make_optional(found->second);
    if (TakeOne(event, next.at(partition), row, changes)) taken.push_back(&event);
  }
  Store(session, group_, changes);
  return taken;
}

absl::Status Positions::Note(postgres::Session& session, std::span<const SetAside> set_aside) const {
  static constexpr postgres::Statement kNote{"consumer_set_aside_note", R"sql(
    INSERT INTO consumer_set_aside (consumer_group, topic, partition_number, event_offset, has_effect)
    SELECT $1, t, n, o, false FROM unnest($2::text[], $3::int[], $4::bigint[]) AS u (t, n, o)
    ON CONFLICT DO NOTHING
  )sql"};
  Rows all;
  for (const SetAside& event : set_aside) all.Add(PartitionOf(event.message), event.message.offset);
  return session.Transact({}, [&](postgres::Session& open) {
    const Offsets next = Lock(open, group_, all);
    Rows noted;
    for (const SetAside& event : set_aside) {
      const PartitionId partition = PartitionOf(event.message);
      // A failed one before the position was taken by another member that had the partition by then.
      const bool taken = event.kind == Answer::Kind::kFailed && event.message.offset < next.at(partition);
      if (!taken) noted.Add(partition, event.message.offset);
    }
    if (!noted.empty()) Exec(open, kNote, group_, noted);
    CleanUp(open, group_);
    return absl::OkStatus();
  });
}

}  // namespace bv::events
