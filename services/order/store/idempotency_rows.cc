#include "services/order/store/idempotency_rows.h"

#include "libs/base/error.h"

namespace bv::order {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

// The keys as three columns.
struct KeyColumns {
  std::vector<std::string> tenants, users, hashes;

  void Add(const RecordKey& key) {
    tenants.push_back(key.tenant);
    users.push_back(key.user);
    hashes.push_back(key.key_hash);
  }
};

RecordKey KeyOf(const pqxx::row& row) {
  return {row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::string>()};
}

}  // namespace

std::map<RecordKey, ClaimedRecord> ClaimKeys(postgres::Session& session,
                                             const std::map<RecordKey, IdempotencyRecord>& claims) {
  static constexpr Statement kClaim{"idempotency_claim", R"sql(
    INSERT INTO idempotency_record AS r (tenant_id, user_id, key_hash, request_hash, order_id)
    SELECT tenant_id, user_id, key_hash, request_hash, order_id
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS k (tenant_id, user_id, key_hash, request_hash, order_id)
    ORDER BY tenant_id, user_id, key_hash
    ON CONFLICT (tenant_id, user_id, key_hash) DO UPDATE
      SET request_hash = excluded.request_hash, order_id = excluded.order_id, created_at = now()
      WHERE r.created_at < now() - interval '24 hours'
    RETURNING tenant_id, user_id, key_hash
  )sql"};
  static constexpr Statement kRead{"idempotency_read_batch", R"sql(
    SELECT k.tenant_id, k.user_id, k.key_hash, r.request_hash, r.order_id
    FROM unnest($1::text[], $2::text[], $3::text[]) AS k (tenant_id, user_id, key_hash)
    CROSS JOIN LATERAL (
      SELECT request_hash, order_id
      FROM idempotency_record WHERE tenant_id = k.tenant_id AND user_id = k.user_id AND key_hash = k.key_hash
      OFFSET 0  -- a lookup for each key, whatever the planner thinks of the table
    ) r
  )sql"};
  std::map<RecordKey, ClaimedRecord> records;
  if (claims.empty()) return records;
  KeyColumns columns;
  std::vector<std::string> requests, orders;
  for (const auto& [key, record] : claims) {
    columns.Add(key);
    requests.push_back(record.request_hash);
    orders.push_back(record.order.str());
  }
  const pqxx::result fresh =
      session.Exec(kClaim, ArrayLiteral(columns.tenants), ArrayLiteral(columns.users),
                   ArrayLiteral(columns.hashes), ArrayLiteral(requests), ArrayLiteral(orders));
  for (const pqxx::row& row : fresh) records[KeyOf(row)] = {claims.at(KeyOf(row)), true};
  if (records.size() == claims.size()) return records;
  for (const pqxx::row& row : session.Exec(kRead, ArrayLiteral(columns.tenants), ArrayLiteral(columns.users),
                                           ArrayLiteral(columns.hashes))) {
    records.try_emplace(
        KeyOf(row), ClaimedRecord{{row[3].as<std::string>(), OrderId::Trusted(row[4].as<std::string>())}});
  }
  return records;
}

void ReleaseKeys(postgres::Session& session, const std::vector<RecordKey>& keys) {
  static constexpr Statement kRelease{"idempotency_release", R"sql(
    MERGE INTO idempotency_record r
    USING unnest($1::text[], $2::text[], $3::text[]) AS k (tenant_id, user_id, key_hash)
    ON r.tenant_id = k.tenant_id AND r.user_id = k.user_id AND r.key_hash = k.key_hash
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  if (keys.empty()) return;
  KeyColumns columns;
  for (const RecordKey& key : keys) columns.Add(key);
  session.Exec(kRelease, ArrayLiteral(columns.tenants), ArrayLiteral(columns.users),
               ArrayLiteral(columns.hashes));
}

std::optional<IdempotencyRecord> ReadIdempotencyRecord(postgres::Session& session, const TenantId& tenant,
                                                       const std::string& user_id,
                                                       const std::string& key_hash) {
  static constexpr Statement kRead{"idempotency_read", R"sql(
    SELECT request_hash, order_id FROM idempotency_record
    WHERE tenant_id = $1 AND user_id = $2 AND key_hash = $3 AND created_at >= now() - interval '24 hours'
  )sql"};
  const pqxx::result result = session.Exec(kRead, tenant.str(), user_id, key_hash);
  if (result.empty()) return std::nullopt;
  return IdempotencyRecord{result[0][0].as<std::string>(), OrderId::Trusted(result[0][1].as<std::string>())};
}

absl::Status IdempotencyKeyReused() {
  return Error(absl::StatusCode::kInvalidArgument, "IDEMPOTENCY_KEY_REUSED",
               "this Idempotency-Key was used for another request; use a new key", "Idempotency-Key");
}

}  // namespace bv::order
