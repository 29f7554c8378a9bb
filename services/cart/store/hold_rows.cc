#include "services/cart/store/hold_rows.h"

#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace bv::cart {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

using ItemKey = std::tuple<TenantId, CartId, SkuCode>;

struct StoredHold {
  std::int64_t item_version = 0;
  Hold hold;
  bool changed = false;
};
using StoredHolds = std::map<ItemKey, StoredHold>;

// As every change of a cart, in the order of their ids.
void LockCarts(postgres::Session& session, const std::vector<AnswerForItem>& answers) {
  static constexpr Statement kLock{"cart_lock_many", R"sql(
    SELECT FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (tenant_id, cart_id, n)
    CROSS JOIN LATERAL (
      SELECT FROM cart c WHERE c.tenant_id = k.tenant_id AND c.cart_id = k.cart_id FOR UPDATE
    ) AS locked
    ORDER BY k.n
  )sql"};
  std::set<std::pair<CartId, TenantId>> carts;
  for (const AnswerForItem& answer : answers) carts.emplace(answer.cart, answer.tenant);
  std::vector<std::string> tenants, ids;
  for (const auto& [id, tenant] : carts) {
    tenants.push_back(tenant.str());
    ids.push_back(id.str());
  }
  session.Exec(kLock, ArrayLiteral(tenants), ArrayLiteral(ids));
}

StoredHolds ReadHolds(postgres::Session& session, const std::vector<AnswerForItem>& answers) {
  static constexpr Statement kRead{"cart_hold_read", R"sql(
    SELECT k.n, i.item_version, coalesce(i.hold_status, '') AS hold_status, i.hold_qty,
           (extract(epoch FROM i.held_until) * 1e6)::bigint AS held_until
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (tenant_id, cart_id, sku, n)
    CROSS JOIN LATERAL (
      SELECT * FROM cart_item c WHERE c.tenant_id = k.tenant_id AND c.cart_id = k.cart_id AND c.sku = k.sku
      OFFSET 0  -- a look-up for each key, whatever the planner thinks of the table
    ) AS i
  )sql"};
  std::vector<std::string> tenants, carts, skus;
  for (const AnswerForItem& answer : answers) {
    tenants.push_back(answer.tenant.str());
    carts.push_back(answer.cart.str());
    skus.push_back(answer.sku.str());
  }
  StoredHolds holds;
  for (const pqxx::row& row :
       session.Exec(kRead, ArrayLiteral(tenants), ArrayLiteral(carts), ArrayLiteral(skus))) {
    const AnswerForItem& answer = answers[row["n"].as<std::size_t>() - 1];
    StoredHold stored{.item_version = row["item_version"].as<std::int64_t>()};
    stored.hold.state = HoldStateOf(row["hold_status"].as<std::string>());
    if (stored.hold.state == HoldState::kHeld) {
      stored.hold.qty = row["hold_qty"].as<std::int64_t>();
      stored.hold.until = postgres::TimeFromMicros(row["held_until"]);
    }
    holds.emplace(ItemKey(answer.tenant, answer.cart, answer.sku), stored);
  }
  return holds;
}

void WriteHolds(postgres::Session& session, const StoredHolds& holds) {
  static constexpr Statement kWrite{"cart_hold_write", R"sql(
    MERGE INTO cart_item i
    USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
      AS k (tenant_id, cart_id, sku, hold_status, qty, held_until)
    ON i.tenant_id = k.tenant_id AND i.cart_id = k.cart_id AND i.sku = k.sku
    WHEN MATCHED THEN UPDATE
      SET hold_status = nullif(k.hold_status, ''), hold_qty = k.qty, held_until = to_timestamp(k.held_until / 1e6)
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  std::vector<std::string> tenants, carts, skus, states;
  std::vector<std::int64_t> quantities;
  std::vector<std::optional<std::int64_t>> times;
  for (const auto& [key, stored] : holds) {
    if (!stored.changed) continue;
    tenants.push_back(std::get<TenantId>(key).str());
    carts.push_back(std::get<CartId>(key).str());
    skus.push_back(std::get<SkuCode>(key).str());
    states.emplace_back(WordOf(stored.hold.state));
    quantities.push_back(stored.hold.qty);
    times.push_back(stored.hold.state == HoldState::kHeld
                        ? std::optional(absl::ToUnixMicros(stored.hold.until))
                        : std::nullopt);
  }
  if (tenants.empty()) return;
  session.Exec(kWrite, ArrayLiteral(tenants), ArrayLiteral(carts), ArrayLiteral(skus), ArrayLiteral(states),
               ArrayLiteral(quantities), ArrayLiteral(times));
}

}  // namespace

void StoreAnswers(postgres::Session& session, const std::vector<AnswerForItem>& answers) {
  if (answers.empty()) return;
  LockCarts(session, answers);
  // Read after the locks: by a snapshot that has what the changes before this one wrote.
  StoredHolds holds = ReadHolds(session, answers);
  for (const AnswerForItem& answer : answers) {
    const auto found = holds.find(ItemKey(answer.tenant, answer.cart, answer.sku));
    if (found == holds.end()) continue;
    StoredHold& stored = found->second;
    Hold after = Answered(stored.hold, stored.item_version, answer.answer);
    if (after == stored.hold) continue;
    stored.hold = std::move(after);
    stored.changed = true;
  }
  WriteHolds(session, holds);
}

}  // namespace bv::cart
