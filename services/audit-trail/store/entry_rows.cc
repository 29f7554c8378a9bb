#include "services/audit-trail/store/entry_rows.h"

namespace bv::audit_trail {
namespace {

using postgres::Statement;

// What EntryOf reads.
#define BV_AUDIT_COLUMNS                                                                                 \
  "number, entry_id, (extract(epoch FROM occurred_at) * 1e6)::bigint AS occurred, actor, role, action, " \
  "object_type, object_id, outcome, reason, before, after, correlation_id, "                             \
  "(extract(epoch FROM recorded_at) * 1e6)::bigint AS recorded, previous_hash, hash "

// A list begins with one of the columns that have an index, `condition`, and narrows it by the others.
#define BV_AUDIT_LIST(condition)                                                                        \
  "SELECT " BV_AUDIT_COLUMNS "FROM audit_entry WHERE tenant_id = $1 AND " condition                     \
  " AND ($2::text = '' OR actor = $2) AND ($3::text = '' OR action = $3)"                               \
  " AND ($4::text = '' OR object_type = $4) AND ($5::text = '' OR object_id = $5)"                      \
  " AND ($6::text = '' OR outcome = $6)"                                                                \
  " AND occurred_at >= to_timestamp($7::bigint / 1e6) AND occurred_at < to_timestamp($8::bigint / 1e6)" \
  " AND (occurred_at, number) < (to_timestamp($9::bigint / 1e6), $10::bigint)"                          \
  " ORDER BY occurred_at DESC, number DESC LIMIT $11::int"

constexpr Statement kListByObject{"audit_list_by_object", BV_AUDIT_LIST("object_id = $5")};
constexpr Statement kListByActor{"audit_list_by_actor", BV_AUDIT_LIST("actor = $2")};
constexpr Statement kListByAction{"audit_list_by_action", BV_AUDIT_LIST("action = $3")};
constexpr Statement kListByTime{"audit_list_by_time", BV_AUDIT_LIST("true")};

const Statement& ListFor(const EntryFilter& filter) {
  if (!filter.object_id.empty()) return kListByObject;
  if (!filter.actor.empty()) return kListByActor;
  return filter.action.empty() ? kListByTime : kListByAction;
}

Entry EntryOf(const pqxx::row& row) {
  return {.number = row["number"].as<std::int64_t>(),
          .id = row["entry_id"].c_str(),
          .occurred_at = postgres::TimeFromMicros(row["occurred"]),
          .actor = row["actor"].c_str(),
          .role = row["role"].c_str(),
          .action = row["action"].c_str(),
          .object_type = row["object_type"].c_str(),
          .object_id = row["object_id"].c_str(),
          .outcome = row["outcome"].c_str(),
          .reason = row["reason"].c_str(),
          .before = row["before"].c_str(),
          .after = row["after"].c_str(),
          .correlation_id = row["correlation_id"].c_str(),
          .recorded_at = postgres::TimeFromMicros(row["recorded"]),
          .previous_hash = row["previous_hash"].c_str(),
          .hash = row["hash"].c_str()};
}

std::vector<Entry> EntriesOf(const pqxx::result& rows) {
  std::vector<Entry> entries;
  for (const pqxx::row& row : rows) entries.push_back(EntryOf(row));
  return entries;
}

}  // namespace

Head LockHead(postgres::Session& session, const TenantId& tenant) {
  static constexpr Statement kMake{"audit_head_make", R"sql(
    INSERT INTO audit_chain (tenant_id, number, hash) VALUES ($1, 0, $2) ON CONFLICT (tenant_id) DO NOTHING
  )sql"};
  static constexpr Statement kLock{"audit_head_lock", R"sql(
    SELECT number, hash FROM audit_chain WHERE tenant_id = $1 FOR UPDATE
  )sql"};
  session.Exec(kMake, tenant.str(), std::string(kNoHash));
  const pqxx::row row = session.Exec(kLock, tenant.str())[0];
  return {.number = row[0].as<std::int64_t>(), .hash = row[1].c_str()};
}

void StoreHead(postgres::Session& session, const TenantId& tenant, const Head& head) {
  static constexpr Statement kStore{"audit_head_store", R"sql(
    UPDATE audit_chain SET number = $2, hash = $3, updated_at = now() WHERE tenant_id = $1
  )sql"};
  session.Exec(kStore, tenant.str(), head.number, head.hash);
}

bool InsertEntry(postgres::Session& session, const TenantId& tenant, const Entry& entry) {
  static constexpr Statement kInsert{"audit_entry_insert", R"sql(
    INSERT INTO audit_entry (tenant_id, number, entry_id, occurred_at, actor, role, action, object_type, object_id, outcome, reason, before,
                             after, correlation_id, recorded_at, previous_hash, hash)
    VALUES ($1, $2, $3, to_timestamp($4::bigint / 1e6), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, to_timestamp($15::bigint / 1e6), $16, $17)
    ON CONFLICT (tenant_id, entry_id) DO NOTHING
  )sql"};
  return session
             .Exec(kInsert, tenant.str(), entry.number, entry.id, absl::ToUnixMicros(entry.occurred_at),
                   entry.actor, entry.role, entry.action, entry.object_type, entry.object_id, entry.outcome,
                   entry.reason, entry.before, entry.after, entry.correlation_id,
                   absl::ToUnixMicros(entry.recorded_at), entry.previous_hash, entry.hash)
             .affected_rows() == 1;
}

ChainEnd ReadEnd(postgres::Session& session, const TenantId& tenant) {
  static constexpr Statement kRead{"audit_end_read", R"sql(
    SELECT coalesce((SELECT number FROM audit_chain WHERE tenant_id = $1), 0),
           coalesce((SELECT hash FROM audit_chain WHERE tenant_id = $1), $2),
           coalesce((SELECT max(number) FROM audit_entry WHERE tenant_id = $1), 0)
  )sql"};
  const pqxx::row row = session.Exec(kRead, tenant.str(), std::string(kNoHash))[0];
  return {.head = {.number = row[0].as<std::int64_t>(), .hash = row[1].c_str()},
          .last_number = row[2].as<std::int64_t>()};
}

std::vector<Entry> ReadChain(postgres::Session& session, const TenantId& tenant, std::int64_t first,
                             std::int64_t last, int limit) {
  static constexpr Statement kRead{"audit_chain_read",
                                   "SELECT " BV_AUDIT_COLUMNS
                                   "FROM audit_entry WHERE tenant_id = $1 AND number BETWEEN $2::bigint AND "
                                   "$3::bigint ORDER BY number LIMIT $4::int"};
  return EntriesOf(session.Exec(kRead, tenant.str(), first, last, limit));
}

std::vector<Entry> ListEntries(postgres::Session& session, const TenantId& tenant,
                               const EntryFilter& filter) {
  return EntriesOf(session.Exec(ListFor(filter), tenant.str(), filter.actor, filter.action,
                                filter.object_type, filter.object_id, filter.outcome,
                                absl::ToUnixMicros(filter.from), absl::ToUnixMicros(filter.to),
                                absl::ToUnixMicros(filter.before_time), filter.before_number, filter.limit));
}

std::vector<NotedHead> ReadHeadsSince(postgres::Session& session, absl::Time since, int limit) {
  static constexpr Statement kRead{"audit_heads_read", R"sql(
    SELECT tenant_id, number, hash, (extract(epoch FROM updated_at) * 1e6)::bigint AS updated
    FROM audit_chain WHERE updated_at > to_timestamp($1::bigint / 1e6) AND number > 0 ORDER BY updated_at LIMIT $2::int
  )sql"};
  std::vector<NotedHead> heads;
  for (const pqxx::row& row : session.Exec(kRead, absl::ToUnixMicros(since), limit)) {
    heads.push_back({.tenant = TenantId::Trusted(row["tenant_id"].c_str()),
                     .head = {.number = row["number"].as<std::int64_t>(), .hash = row["hash"].c_str()},
                     .updated_at = postgres::TimeFromMicros(row["updated"])});
  }
  return heads;
}

}  // namespace bv::audit_trail
