// What a stock batch writes.
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

struct StockColumns {
  Texts tenants, skus, locations, products;
  Numbers on_hand, reserved, buffers, versions, priorities, hot;

  explicit StockColumns(const Desk& desk) {
    for (const auto& [tenant, shelves] : desk.stock) {
      for (const auto& [sku, shelf] : shelves) {
        for (const Place& place : shelf.places) {
          if (!place.dirty) continue;
          tenants.push_back(tenant.str());
          skus.push_back(sku.str());
          locations.push_back(place.location.str());
          products.push_back(shelf.product.str());
          on_hand.push_back(place.on_hand);
          reserved.push_back(place.reserved);
          buffers.push_back(place.buffer);
          versions.push_back(place.version);
          priorities.push_back(place.priority);
          hot.push_back(shelf.is_hot ? 1 : 0);
        }
      }
    }
  }
};

struct ReservationColumns {
  Texts tenants, ids, users, states, holders, carts;
  Numbers expiries, item_versions;

  ReservationColumns(const Desk& desk, const std::set<ReservationKey>& keys) {
    for (const ReservationKey& key : keys) {
      const Reservation& r = desk.reservations.at(key);
      tenants.push_back(key.first.str());
      ids.push_back(key.second);
      users.push_back(r.user_id);
      states.emplace_back(Word(r.state));
      holders.emplace_back(Word(r.holder));
      carts.push_back(r.cart_id);
      expiries.push_back(absl::ToUnixMicros(r.expires_at));
      item_versions.push_back(r.item_version);
    }
  }
};

struct LineColumns {
  Texts tenants, ids, skus, locations;
  Numbers quantities, shipped;

  void Add(const Desk& desk, const std::set<ReservationKey>& keys) {
    for (const ReservationKey& key : keys) {
      for (const Allocation& allocation : desk.reservations.at(key).allocations) {
        tenants.push_back(key.first.str());
        ids.push_back(key.second);
        skus.push_back(allocation.sku.str());
        locations.push_back(allocation.location.str());
        quantities.push_back(allocation.qty);
        shipped.push_back(allocation.shipped);
      }
    }
  }
};

struct LedgerColumns {
  Texts tenants, ids, skus, locations, reasons, reservations, users, shipments;
  Numbers on_hand, reserved, buffers, forced;

  explicit LedgerColumns(const std::vector<LedgerRow>& rows) {
    for (const LedgerRow& row : rows) {
      tenants.push_back(row.tenant.str());
      ids.push_back(row.adjustment_id.str());
      skus.push_back(row.sku.str());
      locations.push_back(row.location.str());
      on_hand.push_back(row.on_hand_delta);
      reserved.push_back(row.reserved_delta);
      buffers.push_back(row.buffer_delta);
      reasons.push_back(row.reason);
      reservations.push_back(row.reservation_id);
      users.push_back(row.user_id);
      forced.push_back(row.forced ? 1 : 0);
      shipments.push_back(row.shipment_id);
    }
  }
};

// Holds of carts whose items have changed: their lines are written anew.
void DeleteLines(postgres::Session& session, const std::set<ReservationKey>& keys) {
  static constexpr Statement kDelete{"reservation_line_delete", R"sql(
    MERGE INTO reservation_line l
    USING unnest($1::text[], $2::text[]) AS k (tenant_id, reservation_id)
    ON l.tenant_id = k.tenant_id AND l.reservation_id = k.reservation_id
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  Texts tenants, ids;
  for (const ReservationKey& key : keys) {
    tenants.push_back(key.first.str());
    ids.push_back(key.second);
  }
  session.Exec(kDelete, ArrayLiteral(tenants), ArrayLiteral(ids));
}

void UpdateShipped(postgres::Session& session, const Desk& desk) {
  static constexpr Statement kUpdate{"reservation_line_ship", R"sql(
    MERGE INTO reservation_line l
    USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS k (tenant_id, reservation_id, sku, location_code, shipped)
    ON l.tenant_id = k.tenant_id AND l.reservation_id = k.reservation_id AND l.sku = k.sku AND l.location_code = k.location_code
    WHEN MATCHED THEN UPDATE SET shipped = k.shipped
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  LineColumns lines;
  lines.Add(desk, desk.shipped);
  session.Exec(kUpdate, ArrayLiteral(lines.tenants), ArrayLiteral(lines.ids), ArrayLiteral(lines.skus),
               ArrayLiteral(lines.locations), ArrayLiteral(lines.shipped));
}

// One statement for all that a batch of reservations writes: every statement is a round trip during which the
// rows are locked. Its parts see none of each other's rows, and no row is written by two of them. $1 to $10
// are those of the outbox. Rows that are to be changed are found by the conflict with their key: a join with
// the batch, planned while the tables were empty, becomes a scan. Those that are to be new are simply
// inserted: looking for each before it is inserted took a tenth of the statement.
constexpr Statement kWrite{"stock_batch_write", R"sql(
  WITH announced AS (
    )sql" BV_OUTBOX_INSERT R"sql(
  ), stocked AS (
    INSERT INTO inventory_stock AS s (tenant_id, sku, location_code, product_id, on_hand, reserved, buffer, version, priority, is_hot, oversold)
    SELECT tenant_id, sku, location_code, product_id, on_hand, reserved, buffer, version, priority, is_hot = 1, on_hand - reserved - buffer < 0
    FROM unnest($11::text[], $12::text[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::int[], $19::int[], $53::text[])
      AS k (tenant_id, sku, location_code, on_hand, reserved, buffer, version, priority, is_hot, product_id)
    ON CONFLICT (tenant_id, sku, location_code) DO UPDATE
      SET on_hand = excluded.on_hand, reserved = excluded.reserved, buffer = excluded.buffer, version = excluded.version,
          priority = excluded.priority, is_hot = excluded.is_hot, oversold = excluded.oversold
  ), added AS (
    INSERT INTO reservation (tenant_id, reservation_id, user_id, status, holder, cart_id, expires_at, item_version)
    SELECT tenant_id, reservation_id, user_id, status, holder, nullif(cart_id, ''), to_timestamp(expires_at / 1e6), item_version
    FROM unnest($20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::bigint[], $27::bigint[])
      AS k (tenant_id, reservation_id, user_id, status, holder, cart_id, expires_at, item_version)
  ), lined AS (
    INSERT INTO reservation_line (tenant_id, reservation_id, sku, location_code, qty, shipped)
    SELECT * FROM unnest($28::text[], $29::text[], $30::text[], $31::text[], $32::bigint[], $33::bigint[])
  ), changed AS (
    INSERT INTO reservation AS r (tenant_id, reservation_id, status, expires_at, item_version, user_id, holder)
    SELECT tenant_id, reservation_id, status, to_timestamp(expires_at / 1e6), item_version, user_id, holder
    FROM unnest($34::text[], $35::text[], $36::text[], $37::bigint[], $38::bigint[], $51::text[], $52::text[])
      AS k (tenant_id, reservation_id, status, expires_at, item_version, user_id, holder)
    ON CONFLICT (tenant_id, reservation_id) DO UPDATE
      SET status = excluded.status, expires_at = excluded.expires_at, item_version = excluded.item_version
  )
  INSERT INTO inventory_adjustment (tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, buffer_delta, reason,
                                    reservation_id, user_id, forced, shipment_id)
  SELECT tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, buffer_delta, reason, nullif(reservation_id, ''),
         user_id, forced = 1, nullif(shipment_id, '')
  FROM unnest($39::text[], $40::text[], $41::text[], $42::text[], $43::bigint[], $44::bigint[], $45::bigint[], $46::text[], $47::text[],
              $48::text[], $49::int[], $50::text[])
    AS k (tenant_id, adjustment_id, sku, location_code, on_hand_delta, reserved_delta, buffer_delta, reason, reservation_id, user_id,
          forced, shipment_id)
)sql"};

}  // namespace

bool WriteRows(postgres::Session& session, const Desk& desk,
               const std::vector<events::OutboxRow>& events) try {
  if (!desk.relined.empty()) DeleteLines(session, desk.relined);
  const events::OutboxArrays e(events);
  const StockColumns s(desk);
  const ReservationColumns a(desk, desk.added);
  // Those that are new are added as they are now.
  std::set<ReservationKey> changed = desk.changed;
  for (const ReservationKey& key : desk.added) changed.erase(key);
  const ReservationColumns c(desk, changed);
  LineColumns l;
  l.Add(desk, desk.added);
  l.Add(desk, desk.relined);
  const LedgerColumns n(desk.ledger);
  session.Exec(
      kWrite, e.ids, e.topics, e.keys, e.types, e.payloads, e.versions, e.occurred, e.tenants, e.traceparents,
      e.correlation_ids, ArrayLiteral(s.tenants), ArrayLiteral(s.skus), ArrayLiteral(s.locations),
      ArrayLiteral(s.on_hand), ArrayLiteral(s.reserved), ArrayLiteral(s.buffers), ArrayLiteral(s.versions),
      ArrayLiteral(s.priorities), ArrayLiteral(s.hot), ArrayLiteral(a.tenants), ArrayLiteral(a.ids),
      ArrayLiteral(a.users), ArrayLiteral(a.states), ArrayLiteral(a.holders), ArrayLiteral(a.carts),
      ArrayLiteral(a.expiries), ArrayLiteral(a.item_versions), ArrayLiteral(l.tenants), ArrayLiteral(l.ids),
      ArrayLiteral(l.skus), ArrayLiteral(l.locations), ArrayLiteral(l.quantities), ArrayLiteral(l.shipped),
      ArrayLiteral(c.tenants), ArrayLiteral(c.ids), ArrayLiteral(c.states), ArrayLiteral(c.expiries),
      ArrayLiteral(c.item_versions), ArrayLiteral(n.tenants), ArrayLiteral(n.ids), ArrayLiteral(n.skus),
      ArrayLiteral(n.locations), ArrayLiteral(n.on_hand), ArrayLiteral(n.reserved), ArrayLiteral(n.buffers),
      ArrayLiteral(n.reasons), ArrayLiteral(n.reservations), ArrayLiteral(n.users), ArrayLiteral(n.forced),
      ArrayLiteral(n.shipments), ArrayLiteral(c.users), ArrayLiteral(c.holders), ArrayLiteral(s.products));
  if (!desk.shipped.empty()) UpdateShipped(session, desk);
  return true;
} catch (const pqxx::unique_violation&) {
  return false;
}

}  // namespace bv::inventory
