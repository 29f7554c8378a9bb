#include "services/cart/store/cart_rows.h"

#include <algorithm>

namespace bv::cart {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

void DeleteItems(postgres::Session& session, const TenantId& tenant, const CartId& id,
                 const std::vector<std::string>& skus) {
  static constexpr Statement kDelete{
      "cart_item_delete",
      "DELETE FROM cart_item WHERE tenant_id = $1 AND cart_id = $2 AND sku = ANY ($3::text[])"};
  session.Exec(kDelete, tenant.str(), id.str(), ArrayLiteral(skus));
}

void UpsertItems(postgres::Session& session, const TenantId& tenant, const CartId& id,
                 const std::vector<Item>& items) {
  static constexpr Statement kUpsert{"cart_item_upsert", R"sql(
    INSERT INTO cart_item (tenant_id, cart_id, sku, qty, added_at, item_version, hold_status)
    SELECT $1, $2, sku, qty, clock_timestamp() + n * interval '1 microsecond', version, nullif(hold_status, '')
    FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[]) WITH ORDINALITY AS k (sku, qty, version, hold_status, n)
    ON CONFLICT (tenant_id, cart_id, sku) DO UPDATE
    SET qty = excluded.qty, item_version = excluded.item_version, hold_status = excluded.hold_status, hold_qty = 0,
        held_until = NULL
  )sql"};
  std::vector<std::string> skus, hold_states;
  std::vector<std::int64_t> quantities, versions;
  for (const Item& item : items) {
    skus.push_back(item.sku.str());
    quantities.push_back(item.qty);
    versions.push_back(item.version);
    hold_states.emplace_back(WordOf(item.hold.state));
  }
  session.Exec(kUpsert, tenant.str(), id.str(), ArrayLiteral(skus), ArrayLiteral(quantities),
               ArrayLiteral(versions), ArrayLiteral(hold_states));
}

void TouchCart(postgres::Session& session, const TenantId& tenant, Cart& cart, absl::Duration ttl) {
  static constexpr Statement kTouch{"cart_touch", R"sql(
    UPDATE cart SET updated_at = now(), expires_at = now() + $3 * interval '1 millisecond', version = $4
    WHERE tenant_id = $1 AND cart_id = $2
    RETURNING (extract(epoch FROM updated_at) * 1e6)::bigint, (extract(epoch FROM expires_at) * 1e6)::bigint
  )sql"};
  const pqxx::row row =
      session.Exec(kTouch, tenant.str(), cart.id.str(), absl::ToInt64Milliseconds(ttl), cart.version)[0];
  cart.updated_at = postgres::TimeFromMicros(row[0]);
  cart.expires_at = postgres::TimeFromMicros(row[1]);
}

Item ItemOf(const pqxx::row& row) {
  Item item{.sku = SkuCode::Trusted(row["sku"].as<std::string>()),
            .qty = row["qty"].as<std::int64_t>(),
            .version = row["item_version"].as<std::int64_t>()};
  item.hold.state = HoldStateOf(row["hold_status"].as<std::string>());
  if (item.hold.state == HoldState::kHeld) {
    item.hold.qty = row["hold_qty"].as<std::int64_t>();
    item.hold.until = postgres::TimeFromMicros(row["held_until"]);
  }
  return item;
}

// An expired cart that still waits for its deletion is in the way of the owner's new one.
void DeleteExpiredOf(postgres::Session& session, const TenantId& tenant, const Owner& owner) {
  static constexpr Statement kByUser{"cart_delete_expired_by_user", R"sql(
    DELETE FROM cart WHERE tenant_id = $1 AND user_id = $2 AND closed_at IS NULL AND expires_at <= now()
  )sql"};
  static constexpr Statement kBySession{"cart_delete_expired_by_session", R"sql(
    DELETE FROM cart WHERE tenant_id = $1 AND session_hash = $2 AND closed_at IS NULL AND expires_at <= now()
  )sql"};
  if (owner.session_hash.empty()) {
    session.Exec(kByUser, tenant.str(), owner.user_id);
  } else {
    session.Exec(kBySession, tenant.str(), owner.session_hash);
  }
}

}  // namespace

std::optional<Cart> ReadCart(postgres::Session& session, const TenantId& tenant, const CartId& id) {
  // What was held is expired from its time on, also before inventory says so.
  static constexpr Statement kRead{"cart_read", R"sql(
    SELECT coalesce(c.user_id, '') AS user_id, coalesce(c.session_hash, '') AS session_hash, c.version,
           (extract(epoch FROM c.updated_at) * 1e6)::bigint AS updated_at,
           (extract(epoch FROM c.expires_at) * 1e6)::bigint AS expires_at, i.sku, i.qty, i.item_version,
           CASE WHEN i.hold_status = 'HELD' AND i.held_until <= now() THEN 'EXPIRED'
                ELSE coalesce(i.hold_status, '') END AS hold_status,
           i.hold_qty, (extract(epoch FROM i.held_until) * 1e6)::bigint AS held_until
    FROM cart c
    LEFT JOIN cart_item i USING (tenant_id, cart_id)
    WHERE c.tenant_id = $1 AND c.cart_id = $2 AND c.closed_at IS NULL AND c.expires_at > now()
    ORDER BY i.added_at, i.sku
  )sql"};
  const pqxx::result rows = session.Exec(kRead, tenant.str(), id.str());
  if (rows.empty()) return std::nullopt;
  Cart cart{.id = id,
            .owner = {rows[0]["user_id"].as<std::string>(), rows[0]["session_hash"].as<std::string>()},
            .expires_at = postgres::TimeFromMicros(rows[0]["expires_at"]),
            .updated_at = postgres::TimeFromMicros(rows[0]["updated_at"]),
            .version = rows[0]["version"].as<std::int64_t>()};
  for (const pqxx::row& row : rows) {
    if (!row["sku"].is_null()) cart.items.push_back(ItemOf(row));
  }
  return cart;
}

std::optional<CartId> FindCart(postgres::Session& session, const TenantId& tenant, const Owner& owner) {
  static constexpr Statement kByUser{"cart_find_by_user", R"sql(
    SELECT cart_id FROM cart WHERE tenant_id = $1 AND user_id = $2 AND closed_at IS NULL AND expires_at > now()
  )sql"};
  static constexpr Statement kBySession{"cart_find_by_session", R"sql(
    SELECT cart_id FROM cart WHERE tenant_id = $1 AND session_hash = $2 AND closed_at IS NULL AND expires_at > now()
  )sql"};
  const pqxx::result found = owner.session_hash.empty()
                                 ? session.Exec(kByUser, tenant.str(), owner.user_id)
                                 : session.Exec(kBySession, tenant.str(), owner.session_hash);
  if (found.empty()) return std::nullopt;
  return CartId::Trusted(found[0][0].as<std::string>());
}

void LockCart(postgres::Session& session, const TenantId& tenant, const CartId& id) {
  static constexpr Statement kLock{"cart_lock",
                                   "SELECT FROM cart WHERE tenant_id = $1 AND cart_id = $2 FOR UPDATE"};
  session.Exec(kLock, tenant.str(), id.str());
}

void InsertCart(postgres::Session& session, const TenantId& tenant, const Owner& owner, absl::Duration ttl) {
  static constexpr Statement kInsertTenant{"cart_tenant_insert",
                                           "INSERT INTO cart_tenant VALUES ($1) ON CONFLICT DO NOTHING"};
  static constexpr Statement kInsert{"cart_insert", R"sql(
    INSERT INTO cart (tenant_id, cart_id, user_id, session_hash, expires_at)
    VALUES ($1, $2, nullif($3, ''), nullif($4, ''), now() + $5 * interval '1 millisecond')
    ON CONFLICT DO NOTHING
  )sql"};
  session.Exec(kInsertTenant, tenant.str());
  DeleteExpiredOf(session, tenant, owner);
  session.Exec(kInsert, tenant.str(), CartId::New().str(), owner.user_id, owner.session_hash,
               absl::ToInt64Milliseconds(ttl));
}

void WriteCart(postgres::Session& session, const TenantId& tenant, const Cart& before, Cart& after,
               absl::Duration ttl) {
  std::vector<std::string> removed;
  for (const Item& item : before.items) {
    if (std::ranges::find(after.items, item.sku, &Item::sku) == after.items.end())
      removed.push_back(item.sku.str());
  }
  std::vector<Item> written;
  for (const Item& item : after.items) {
    if (std::ranges::find(before.items, item) == before.items.end()) written.push_back(item);
  }
  if (!removed.empty()) DeleteItems(session, tenant, after.id, removed);
  if (!written.empty()) UpsertItems(session, tenant, after.id, written);
  TouchCart(session, tenant, after, ttl);
}

void CloseCart(postgres::Session& session, const TenantId& tenant, const CartId& id) {
  static constexpr Statement kClose{
      "cart_close", "UPDATE cart SET closed_at = now() WHERE tenant_id = $1 AND cart_id = $2"};
  session.Exec(kClose, tenant.str(), id.str());
}

std::vector<TenantId> ListTenants(postgres::Session& session, const TenantId& after, int limit) {
  static constexpr Statement kList{
      "cart_tenant_list",
      "SELECT tenant_id FROM cart_tenant WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2"};
  std::vector<TenantId> tenants;
  for (const pqxx::row& row : session.Exec(kList, after.str(), limit)) {
    tenants.push_back(TenantId::Trusted(row[0].as<std::string>()));
  }
  return tenants;
}

int DeleteExpired(postgres::Session& session, const TenantId& tenant, int limit) {
  // A cart that is locked is being changed or deleted by another; it is passed over.
  static constexpr Statement kDelete{"cart_delete_expired", R"sql(
    DELETE FROM cart
    WHERE ctid = ANY (ARRAY (
      SELECT ctid FROM cart
      WHERE tenant_id = $1 AND expires_at <= now()
      ORDER BY expires_at
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    ))
  )sql"};
  return static_cast<int>(session.Exec(kDelete, tenant.str(), limit).affected_rows());
}

}  // namespace bv::cart
