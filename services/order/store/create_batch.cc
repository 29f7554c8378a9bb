#include "services/order/store/create_batch.h"

#include <map>
#include <set>
#include <tuple>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/order/domain/words.h"
#include "services/order/events/order_created.h"
#include "services/order/store/order_rows.h"

namespace bv::order {
namespace {

using Command = OrderLanes::Item;
using postgres::ArrayLiteral;
using postgres::Statement;

// Tenant, user, hash of the key.
using RecordKey = std::tuple<std::string, std::string, std::string>;

RecordKey KeyOf(const Command& item) {
  return {item.context.tenant.str(), item.context.user_id, item.request.key_hash};
}

// Claims each key for the first command of the batch that has it, unless it was claimed in the last 24 hours.
void ClaimKeys(postgres::Session& session, const std::map<RecordKey, const Command*>& claims) {
  static constexpr Statement kClaim{"idempotency_claim", R"sql(
    INSERT INTO idempotency_record AS r (tenant_id, user_id, key_hash, request_hash, order_id)
    SELECT tenant_id, user_id, key_hash, request_hash, order_id
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS k (tenant_id, user_id, key_hash, request_hash, order_id)
    ORDER BY tenant_id, user_id, key_hash
    ON CONFLICT (tenant_id, user_id, key_hash) DO UPDATE
      SET request_hash = excluded.request_hash, order_id = excluded.order_id, created_at = now()
      WHERE r.created_at < now() - interval '24 hours'
  )sql"};
  std::vector<std::string> tenants, users, keys, requests, orders;
  for (const auto& [key, item] : claims) {
    tenants.push_back(std::get<0>(key));
    users.push_back(std::get<1>(key));
    keys.push_back(std::get<2>(key));
    requests.push_back(item->request.request_hash);
    orders.push_back(item->request.order.id.str());
  }
  session.Exec(kClaim, ArrayLiteral(tenants), ArrayLiteral(users), ArrayLiteral(keys), ArrayLiteral(requests),
               ArrayLiteral(orders));
}

struct Record {
  std::string request_hash;
  OrderId order;
};

std::map<RecordKey, Record> ReadRecords(postgres::Session& session,
                                        const std::map<RecordKey, const Command*>& claims) {
  static constexpr Statement kRead{"idempotency_read_batch", R"sql(
    SELECT k.tenant_id, k.user_id, k.key_hash, r.request_hash, r.order_id
    FROM unnest($1::text[], $2::text[], $3::text[]) AS k (tenant_id, user_id, key_hash)
    CROSS JOIN LATERAL (
      SELECT request_hash, order_id
      FROM idempotency_record WHERE tenant_id = k.tenant_id AND user_id = k.user_id AND key_hash = k.key_hash
      OFFSET 0  -- a lookup for each key, whatever the planner thinks of the table
    ) r
  )sql"};
  std::vector<std::string> tenants, users, keys;
  for (const auto& [key, item] : claims) {
    tenants.push_back(std::get<0>(key));
    users.push_back(std::get<1>(key));
    keys.push_back(std::get<2>(key));
  }
  std::map<RecordKey, Record> records;
  for (const pqxx::row& row :
       session.Exec(kRead, ArrayLiteral(tenants), ArrayLiteral(users), ArrayLiteral(keys))) {
    records[{row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::string>()}] = {
        row[3].as<std::string>(), OrderId::Trusted(row[4].as<std::string>())};
  }
  return records;
}

}  // namespace

absl::Status IdempotencyKeyReused() {
  return Error(absl::StatusCode::kInvalidArgument, "IDEMPOTENCY_KEY_REUSED",
               "this Idempotency-Key was used for another request; use a new key", "Idempotency-Key");
}

absl::Status ExecuteCreateBatch(postgres::Session& session, std::span<Command* const> items) {
  std::map<RecordKey, const Command*> claims;
  for (const Command* item : items) {
    if (!item->request.key_hash.empty()) claims.try_emplace(KeyOf(*item), item);
  }
  std::map<RecordKey, Record> records;
  if (!claims.empty()) {
    ClaimKeys(session, claims);
    records = ReadRecords(session, claims);
  }

  std::vector<Command*> ours;
  for (Command* item : items) {
    const auto record = records.find(KeyOf(*item));
    if (item->request.key_hash.empty() || record->second.order == item->request.order.id) {
      ours.push_back(item);
    } else if (record->second.request_hash == item->request.request_hash) {
      item->answer = Created{.id = record->second.order, .repeated = true};
    } else {
      item->answer = IdempotencyKeyReused();
    }
  }
  if (ours.empty()) return absl::OkStatus();

  for (Command* item : ours) {
    Order& order = item->request.order;
    order.created_at = order.updated_at = session.transaction_time();
  }
  // An order that is there already was stored, with all that follows, by a first run of this batch whose
  // commit was not heard of.
  const std::vector<Command*> fresh = InsertOrders(session, ours);
  if (fresh.size() < ours.size()) ReadTimes(session, ours);
  for (Command* item : ours)
    item->answer = Created{.id = item->request.order.id, .created_at = item->request.order.created_at};
  std::vector<events::OutboxRow> rows;
  for (const Command* item : fresh) {
    ASSIGN_OR_RETURN(events::OutboxRow row, OrderCreatedRow(item->request.order, item->context));
    rows.push_back(std::move(row));
  }
  InsertItems(session, fresh);
  InsertHistory(session, fresh, "CREATED");
  events::InsertOutbox(session, rows);
  return absl::OkStatus();
}

}  // namespace bv::order
