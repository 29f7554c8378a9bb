#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

// The columns of all that is read here. What the numbers hold depends on the kind of row. By position, since
// libpq looks a name up anew for every field, which was 1 µs a row.
enum Column {
  kPart,
  kTenant,
  kId,
  kText,
  kStatus,
  kHolder,
  kCart,
  kSku,
  kLocation,
  kNumber1,
  kNumber2,
  kNumber3,
  kNumber4,
  kNumber5,
  kNumber6
};

// Two columns of keys as arguments for unnest.
template <class Keys, class Second>
std::pair<std::string, std::string> KeyArrays(const Keys& keys, Second second) {
  std::vector<std::string> first_column, second_column;
  for (const auto& key : keys) {
    first_column.push_back(key.first.str());
    second_column.push_back(second(key.second));
  }
  return {ArrayLiteral(first_column), ArrayLiteral(second_column)};
}

void AddLineRow(const pqxx::row& row, Reservation& reservation) {
  reservation.allocations.push_back({.sku = SkuCode::Trusted(row[kSku].as<std::string>()),
                                     .location = LocationCode::Trusted(row[kLocation].as<std::string>()),
                                     .qty = row[kNumber4].as<std::int64_t>(),
                                     .shipped = row[kNumber5].as<std::int64_t>()});
}

// A row for each line, or one without when there is none.
void AddReservationRow(const pqxx::row& row, Reservation& reservation) {
  reservation.reservation_id = row[kId].as<std::string>();
  reservation.user_id = row[kText].as<std::string>();
  reservation.state = ReservationStateOf(row[kStatus].as<std::string>());
  reservation.holder = HolderOf(row[kHolder].as<std::string>());
  reservation.cart_id = row[kCart].as<std::string>("");
  reservation.item_version = row[kNumber3].as<std::int64_t>(0);
  reservation.expires_at = postgres::TimeFromMicros(row[kNumber1]);
  reservation.created_at = postgres::TimeFromMicros(row[kNumber2]);
  if (!row[kSku].is_null()) AddLineRow(row, reservation);
}

void AddStockRow(const pqxx::row& row, Shelf& shelf) {
  shelf.product = ProductId::Trusted(row[kText].as<std::string>());
  shelf.is_hot = row[kNumber6].as<int>() != 0;
  shelf.places.push_back({.location = LocationCode::Trusted(row[kLocation].as<std::string>()),
                          .on_hand = row[kNumber1].as<std::int64_t>(),
                          .reserved = row[kNumber2].as<std::int64_t>(),
                          .buffer = row[kNumber3].as<std::int64_t>(),
                          .priority = row[kNumber5].as<int>(),
                          .version = row[kNumber4].as<std::int64_t>()});
}

LedgerRow LedgerRowOf(const pqxx::row& row) {
  return {.tenant = TenantId::Trusted(row[kTenant].as<std::string>()),
          .adjustment_id = AdjustmentId::Trusted(row[kId].as<std::string>()),
          .sku = SkuCode::Trusted(row[kSku].as<std::string>()),
          .location = LocationCode::Trusted(row[kLocation].as<std::string>()),
          .on_hand_delta = row[kNumber1].as<std::int64_t>(),
          .reason = row[kStatus].as<std::string>()};
}

// What of a reservation goes into one row each.
#define BV_RESERVATION_ROW                                                                               \
  "user_id, status, holder, cart_id, (extract(epoch FROM expires_at) * 1e6)::bigint AS expires_micros, " \
  "(extract(epoch FROM created_at) * 1e6)::bigint AS created_micros, item_version "                      \
  "FROM reservation "

}  // namespace

void LockRows(postgres::Session& session, const BatchKeys& keys, Desk& desk) {
  // The parts are joined by LATERAL, so that each key is a look-up of its own whatever the planner thinks of
  // the tables, and read one after the other, so that no two batches lock in another order.
  static constexpr Statement kLock{"stock_batch_lock", R"sql(
    WITH found_reservation AS MATERIALIZED (
      SELECT k.tenant_id, k.id, r.*, l.*
      FROM unnest($1::text[], $2::text[]) AS k (tenant_id, id)
      CROSS JOIN LATERAL (
        SELECT )sql" BV_RESERVATION_ROW R"sql(
        WHERE tenant_id = k.tenant_id AND reservation_id = k.id
        FOR UPDATE
      ) r
      LEFT JOIN LATERAL (
        SELECT sku, location_code, qty, shipped
        FROM reservation_line WHERE tenant_id = k.tenant_id AND reservation_id = k.id
        ORDER BY sku, location_code
      ) l ON true
    ), found_stock AS MATERIALIZED (
      SELECT k.tenant_id, k.sku, s.*
      FROM unnest($3::text[], $4::text[]) AS k (tenant_id, sku)
      CROSS JOIN LATERAL (
        SELECT product_id, location_code, on_hand, reserved, buffer, version, priority, is_hot::int AS is_hot
        FROM inventory_stock WHERE tenant_id = k.tenant_id AND sku = k.sku
        ORDER BY location_code
        FOR UPDATE
      ) s
    ), found_adjustment AS MATERIALIZED (
      SELECT k.tenant_id, k.id, a.*
      FROM unnest($5::text[], $6::text[]) AS k (tenant_id, id)
      CROSS JOIN LATERAL (
        SELECT sku, location_code, on_hand_delta, reason
        FROM inventory_adjustment WHERE tenant_id = k.tenant_id AND adjustment_id = k.id
        OFFSET 0
      ) a
    )
    SELECT 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           (extract(epoch FROM now()) * 1e6)::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::int
    UNION ALL
    SELECT 1, tenant_id, id, user_id, status, holder, cart_id, sku, location_code,
           expires_micros, created_micros, item_version, qty, shipped, NULL
    FROM found_reservation
    UNION ALL
    SELECT 2, tenant_id, NULL, product_id, NULL, NULL, NULL, sku, location_code, on_hand, reserved, buffer, version, priority, is_hot
    FROM found_stock
    UNION ALL
    SELECT 3, tenant_id, id, NULL, reason, NULL, NULL, sku, location_code, on_hand_delta, NULL, NULL, NULL, NULL, NULL
    FROM found_adjustment
  )sql"};
  const auto [reservation_tenants, reservation_ids] =
      KeyArrays(keys.reservations, [](const std::string& id) { return id; });
  const auto [stock_tenants, skus] = KeyArrays(keys.stock, [](const SkuCode& sku) { return sku.str(); });
  const auto [adjustment_tenants, adjustment_ids] =
      KeyArrays(keys.adjustments, [](const AdjustmentId& id) { return id.str(); });
  for (const pqxx::row& row : session.Exec(kLock, reservation_tenants, reservation_ids, stock_tenants, skus,
                                           adjustment_tenants, adjustment_ids)) {
    const int part = row[kPart].as<int>();
    if (part == 0) {
      desk.now = postgres::TimeFromMicros(row[kNumber1]);
      session.set_transaction_time(desk.now);
      continue;
    }
    const TenantId tenant = TenantId::Trusted(row[kTenant].as<std::string>());
    switch (part) {
      case 1:
        AddReservationRow(row, desk.reservations[{tenant, row[kId].as<std::string>()}]);
        break;
      case 2:
        AddStockRow(row, desk.stock[tenant][SkuCode::Trusted(row[kSku].as<std::string>())]);
        break;
      default: {
        LedgerRow ledger = LedgerRowOf(row);
        AdjustmentKey key{tenant, ledger.adjustment_id};
        desk.adjustments.emplace(std::move(key), std::move(ledger));
      }
    }
  }
}

void ReadLinesAgain(postgres::Session& session, Desk& desk) {
  static constexpr Statement kRead{"reservation_line_read", R"sql(
    SELECT 1, k.tenant_id, k.id, NULL, NULL, NULL, NULL, l.sku, l.location_code, NULL, NULL, NULL, l.qty, l.shipped, NULL
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, id)
    CROSS JOIN LATERAL (
      SELECT sku, location_code, qty, shipped
      FROM reservation_line WHERE tenant_id = k.tenant_id AND reservation_id = k.id
      ORDER BY sku, location_code
    ) l
  )sql"};
  if (desk.reservations.empty()) return;
  std::vector<ReservationKey> keys;
  for (auto& [key, reservation] : desk.reservations) {
    keys.push_back(key);
    reservation.allocations.clear();
  }
  const auto [tenants, ids] = KeyArrays(keys, [](const std::string& id) { return id; });
  for (const pqxx::row& row : session.Exec(kRead, tenants, ids)) {
    const TenantId tenant = TenantId::Trusted(row[kTenant].as<std::string>());
    AddLineRow(row, desk.reservations.at({tenant, row[kId].as<std::string>()}));
  }
}

void InsertPlaces(postgres::Session& session,
                  const std::vector<std::pair<TenantId, const AdjustCommand*>>& commands) {
  if (commands.empty()) return;
  static constexpr Statement kInsert{"stock_insert", R"sql(
    INSERT INTO inventory_stock (tenant_id, sku, location_code, product_id, on_hand)
    SELECT tenant_id, sku, location_code, product_id, 0
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (tenant_id, sku, location_code, product_id)
    ORDER BY tenant_id, sku, location_code
    ON CONFLICT DO NOTHING
  )sql"};
  std::vector<std::string> tenants, skus, locations, products;
  for (const auto& [tenant, command] : commands) {
    tenants.push_back(tenant.str());
    skus.push_back(command->sku.str());
    locations.push_back(command->location.str());
    products.push_back(command->product.str());
  }
  session.Exec(kInsert, ArrayLiteral(tenants), ArrayLiteral(skus), ArrayLiteral(locations),
               ArrayLiteral(products));
}

std::vector<std::string> ReadHolders(postgres::Session& session, const StockKey& key, absl::Time since,
                                     std::size_t limit) {
  static constexpr Statement kRead{"stock_holders", R"sql(
    SELECT reservation_id FROM inventory_adjustment
    WHERE tenant_id = $1 AND sku = $2 AND created_at >= to_timestamp($3 / 1e6) AND reserved_delta > 0 AND reservation_id IS NOT NULL
    LIMIT $4
  )sql"};
  std::vector<std::string> ids;
  for (const pqxx::row& row :
       session.Exec(kRead, key.first.str(), key.second.str(), absl::ToUnixMicros(since), limit))
    ids.push_back(row[0].as<std::string>());
  return ids;
}

Shelf ReadShelf(postgres::Session& session, const TenantId& tenant, const SkuCode& sku) {
  static constexpr Statement kRead{"stock_read", R"sql(
    SELECT 2, tenant_id, NULL, product_id, NULL, NULL, NULL, sku, location_code, on_hand, reserved, buffer, version, priority, is_hot::int
    FROM inventory_stock WHERE tenant_id = $1 AND sku = $2 ORDER BY location_code
  )sql"};
  Shelf shelf;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), sku.str())) AddStockRow(row, shelf);
  return shelf;
}

ProductShelves ReadShelves(postgres::Session& session, const TenantId& tenant,
                           const std::vector<ProductId>& products) {
  // A look-up for each product: with = ANY, one through all of the tenant's stock seems as good while there
  // is little of it.
  static constexpr Statement kRead{"stock_read_batch", R"sql(
    SELECT 2, s.tenant_id, NULL, s.product_id, NULL, NULL, NULL, s.sku, s.location_code, s.on_hand, s.reserved, s.buffer, s.version,
           s.priority, s.is_hot::int
    FROM (SELECT DISTINCT id FROM unnest($2::text[]) AS u (id)) AS k
    CROSS JOIN LATERAL (SELECT * FROM inventory_stock WHERE tenant_id = $1 AND product_id = k.id OFFSET 0) AS s
    ORDER BY s.product_id, s.sku, s.location_code
  )sql"};
  std::vector<std::string> ids;
  ids.reserve(products.size());
  for (const ProductId& product : products) ids.push_back(product.str());
  ProductShelves shelves;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), ArrayLiteral(ids))) {
    const SkuCode sku = SkuCode::Trusted(row[kSku].as<std::string>());
    if (shelves.empty() || shelves.back().first != sku) shelves.emplace_back(sku, Shelf{});
    AddStockRow(row, shelves.back().second);
  }
  return shelves;
}

std::optional<Reservation> ReadReservation(postgres::Session& session, const TenantId& tenant,
                                           const std::string& reservation_id) {
  static constexpr Statement kRead{"reservation_read", R"sql(
    SELECT 1, $1, r.id, r.user_id, r.status, r.holder, r.cart_id, l.sku, l.location_code,
           r.expires_micros, r.created_micros, r.item_version, l.qty, l.shipped, NULL
    FROM (
      SELECT reservation_id AS id, )sql" BV_RESERVATION_ROW R"sql(
      WHERE tenant_id = $1 AND reservation_id = $2
    ) r
    LEFT JOIN reservation_line l ON l.tenant_id = $1 AND l.reservation_id = $2
    ORDER BY l.sku, l.location_code
  )sql"};
  std::optional<Reservation> reservation;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), reservation_id)) {
    if (!reservation) reservation.emplace();
    AddReservationRow(row, *reservation);
  }
  return reservation;
}

}  // namespace bv::inventory
