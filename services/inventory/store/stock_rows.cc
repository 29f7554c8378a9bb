#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

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

Place PlaceOf(const pqxx::row& row, int first) {
  return {.location = LocationCode::Trusted(row[first].as<std::string>()),
          .on_hand = row[first + 1].as<std::int64_t>(),
          .reserved = row[first + 2].as<std::int64_t>(),
          .buffer = row[first + 3].as<std::int64_t>(),
          .version = row[first + 4].as<std::int64_t>()};
}

}  // namespace

std::map<ReservationKey, Reservation> LockReservations(postgres::Session& session,
                                                       const std::set<ReservationKey>& keys) {
  std::map<ReservationKey, Reservation> found;
  if (keys.empty()) return found;
  // Joined by LATERAL, so that each key is a lookup of its own whatever the planner thinks of the tables, and
  // locked in key order.
  static constexpr Statement kLock{"reservation_lock", R"sql(
    SELECT k.tenant_id, k.reservation_id, r.user_id, r.status, r.expires_micros, l.sku, l.location_code, l.qty
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, reservation_id)
    CROSS JOIN LATERAL (
      SELECT user_id, status, (extract(epoch FROM expires_at) * 1e6)::bigint AS expires_micros
      FROM reservation WHERE tenant_id = k.tenant_id AND reservation_id = k.reservation_id
      FOR UPDATE
    ) r
    CROSS JOIN LATERAL (
      SELECT sku, location_code, qty
      FROM reservation_line WHERE tenant_id = k.tenant_id AND reservation_id = k.reservation_id
      ORDER BY sku, location_code
    ) l
  )sql"};
  const auto [tenants, ids] = KeyArrays(keys, [](const std::string& id) { return id; });
  for (const pqxx::row& row : session.Exec(kLock, tenants, ids)) {
    const auto id = row[1].as<std::string>();
    Reservation& reservation = found[{TenantId::Trusted(row[0].as<std::string>()), id}];
    reservation.reservation_id = id;
    reservation.user_id = row[2].as<std::string>();
    reservation.state =
        row[3].as<std::string>() == "HELD" ? ReservationState::kHeld : ReservationState::kReleased;
    reservation.expires_at = postgres::TimeFromMicros(row[4]);
    reservation.allocations.push_back({SkuCode::Trusted(row[5].as<std::string>()),
                                       LocationCode::Trusted(row[6].as<std::string>()),
                                       row[7].as<std::int64_t>()});
  }
  return found;
}

std::map<TenantId, Shelves> LockStock(postgres::Session& session, const std::set<StockKey>& keys) {
  std::map<TenantId, Shelves> stock;
  if (keys.empty()) return stock;
  static constexpr Statement kLock{"stock_lock", R"sql(
    SELECT k.tenant_id, k.sku, s.product_id, s.location_code, s.on_hand, s.reserved, s.buffer, s.version
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, sku)
    CROSS JOIN LATERAL (
      SELECT product_id, location_code, on_hand, reserved, buffer, version
      FROM inventory_stock WHERE tenant_id = k.tenant_id AND sku = k.sku
      ORDER BY location_code
      FOR UPDATE
    ) s
  )sql"};
  const auto [tenants, skus] = KeyArrays(keys, [](const SkuCode& sku) { return sku.str(); });
  for (const pqxx::row& row : session.Exec(kLock, tenants, skus)) {
    Shelf& shelf =
        stock[TenantId::Trusted(row[0].as<std::string>())][SkuCode::Trusted(row[1].as<std::string>())];
    shelf.product = ProductId::Trusted(row[2].as<std::string>());
    shelf.places.push_back(PlaceOf(row, 3));
  }
  return stock;
}

std::map<std::pair<TenantId, AdjustmentId>, LedgerRow> FindAdjustments(
    postgres::Session& session, const std::set<std::pair<TenantId, AdjustmentId>>& keys) {
  std::map<std::pair<TenantId, AdjustmentId>, LedgerRow> found;
  if (keys.empty()) return found;
  static constexpr Statement kFind{"adjustment_find", R"sql(
    SELECT k.tenant_id, k.adjustment_id, a.sku, a.location_code, a.on_hand_delta, a.reason
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, adjustment_id)
    CROSS JOIN LATERAL (
      SELECT sku, location_code, on_hand_delta, reason
      FROM inventory_adjustment WHERE tenant_id = k.tenant_id AND adjustment_id = k.adjustment_id
      OFFSET 0
    ) a
  )sql"};
  const auto [tenants, ids] = KeyArrays(keys, [](const AdjustmentId& id) { return id.str(); });
  for (const pqxx::row& row : session.Exec(kFind, tenants, ids)) {
    LedgerRow ledger{.tenant = TenantId::Trusted(row[0].as<std::string>()),
                     .adjustment_id = AdjustmentId::Trusted(row[1].as<std::string>()),
                     .sku = SkuCode::Trusted(row[2].as<std::string>()),
                     .location = LocationCode::Trusted(row[3].as<std::string>()),
                     .on_hand_delta = row[4].as<std::int64_t>(),
                     .reason = row[5].as<std::string>()};
    found.emplace(std::pair(ledger.tenant, ledger.adjustment_id), std::move(ledger));
  }
  return found;
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

void UpdateStock(postgres::Session& session, const std::map<TenantId, Shelves>& stock) {
  static constexpr Statement kUpdate{"stock_update", R"sql(
    UPDATE inventory_stock s
    SET on_hand = k.on_hand, reserved = k.reserved, version = k.version
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
      AS k (tenant_id, sku, location_code, on_hand, reserved, version)
    WHERE s.tenant_id = k.tenant_id AND s.sku = k.sku AND s.location_code = k.location_code
  )sql"};
  std::vector<std::string> tenants, skus, locations;
  std::vector<std::int64_t> on_hand, reserved, versions;
  for (const auto& [tenant, shelves] : stock) {
    for (const auto& [sku, shelf] : shelves) {
      for (const Place& place : shelf.places) {
        if (!place.changed) continue;
        tenants.push_back(tenant.str());
        skus.push_back(sku.str());
        locations.push_back(place.location.str());
        on_hand.push_back(place.on_hand);
        reserved.push_back(place.reserved);
        versions.push_back(place.version);
      }
    }
  }
  if (tenants.empty()) return;
  session.Exec(kUpdate, ArrayLiteral(tenants), ArrayLiteral(skus), ArrayLiteral(locations),
               ArrayLiteral(on_hand), ArrayLiteral(reserved), ArrayLiteral(versions));
}

bool InsertReservations(postgres::Session& session, const std::vector<NewReservation>& reservations) {
  if (reservations.empty()) return true;
  static constexpr Statement kInsert{"reservation_insert", R"sql(
    INSERT INTO reservation (tenant_id, reservation_id, user_id, status, expires_at)
    SELECT tenant_id, reservation_id, user_id, 'HELD', to_timestamp(expires_at / 1e6)
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS k (tenant_id, reservation_id, user_id, expires_at)
    ON CONFLICT DO NOTHING
  )sql"};
  static constexpr Statement kInsertLines{"reservation_line_insert", R"sql(
    INSERT INTO reservation_line (tenant_id, reservation_id, sku, location_code, qty)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
  )sql"};
  std::vector<std::string> tenants, ids, users, line_tenants, line_ids, line_skus, line_locations;
  std::vector<std::int64_t> expiries, line_quantities;
  for (const NewReservation& r : reservations) {
    tenants.push_back(r.tenant.str());
    ids.push_back(r.reservation->reservation_id);
    users.push_back(r.reservation->user_id);
    expiries.push_back(absl::ToUnixMicros(r.reservation->expires_at));
    for (const Allocation& allocation : r.reservation->allocations) {
      line_tenants.push_back(r.tenant.str());
      line_ids.push_back(r.reservation->reservation_id);
      line_skus.push_back(allocation.sku.str());
      line_locations.push_back(allocation.location.str());
      line_quantities.push_back(allocation.qty);
    }
  }
  const pqxx::result inserted = session.Exec(kInsert, ArrayLiteral(tenants), ArrayLiteral(ids),
                                             ArrayLiteral(users), ArrayLiteral(expiries));
  if (inserted.affected_rows() < reservations.size()) return false;
  session.Exec(kInsertLines, ArrayLiteral(line_tenants), ArrayLiteral(line_ids), ArrayLiteral(line_skus),
               ArrayLiteral(line_locations), ArrayLiteral(line_quantities));
  return true;
}

void MarkReleased(postgres::Session& session, const std::vector<ReservationKey>& keys) {
  if (keys.empty()) return;
  static constexpr Statement kRelease{"reservation_release", R"sql(
    UPDATE reservation r SET status = 'RELEASED'
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, reservation_id)
    WHERE r.tenant_id = k.tenant_id AND r.reservation_id = k.reservation_id
  )sql"};
  const auto [tenants, ids] = KeyArrays(keys, [](const std::string& id) { return id; });
  session.Exec(kRelease, tenants, ids);
}

bool InsertLedger(postgres::Session& session, const std::vector<LedgerRow>& rows) {
  if (rows.empty()) return true;
  static constexpr Statement kInsert{"ledger_insert", R"sql(
    INSERT INTO inventory_adjustment (tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, reason, reservation_id,
                                      user_id)
    SELECT tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, reason, nullif(reservation_id, ''), user_id
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[])
      AS k (tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, reason, reservation_id, user_id)
    ON CONFLICT DO NOTHING
  )sql"};
  std::vector<std::string> tenants, ids, skus, locations, reasons, reservations, users;
  std::vector<std::int64_t> on_hand, reserved;
  for (const LedgerRow& row : rows) {
    tenants.push_back(row.tenant.str());
    ids.push_back(row.adjustment_id.str());
    skus.push_back(row.sku.str());
    locations.push_back(row.location.str());
    on_hand.push_back(row.on_hand_delta);
    reserved.push_back(row.reserved_delta);
    reasons.push_back(row.reason);
    reservations.push_back(row.reservation_id);
    users.push_back(row.user_id);
  }
  const pqxx::result inserted =
      session.Exec(kInsert, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(skus),
                   ArrayLiteral(locations), ArrayLiteral(on_hand), ArrayLiteral(reserved),
                   ArrayLiteral(reasons), ArrayLiteral(reservations), ArrayLiteral(users));
  return inserted.affected_rows() == rows.size();
}

Shelf ReadShelf(postgres::Session& session, const TenantId& tenant, const SkuCode& sku) {
  static constexpr Statement kRead{"stock_read", R"sql(
    SELECT product_id, location_code, on_hand, reserved, buffer, version
    FROM inventory_stock WHERE tenant_id = $1 AND sku = $2 ORDER BY location_code
  )sql"};
  Shelf shelf;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), sku.str())) {
    shelf.product = ProductId::Trusted(row[0].as<std::string>());
    shelf.places.push_back(PlaceOf(row, 1));
  }
  return shelf;
}

}  // namespace bv::inventory
