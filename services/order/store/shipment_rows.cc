#include "services/order/store/shipment_rows.h"

#include <string>

#include "services/order/domain/words.h"

namespace bv::order {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

std::optional<std::int64_t> Micros(const std::optional<absl::Time>& time) {
  if (!time) return std::nullopt;
  return absl::ToUnixMicros(*time);
}

std::optional<absl::Time> TimeOf(const pqxx::field& micros) {
  if (micros.is_null()) return std::nullopt;
  return postgres::TimeFromMicros(micros);
}

// Tenant, order and shipment as three columns.
struct Columns {
  std::vector<std::string> tenants, orders, shipments;

  void Add(const OrderKey& order, const ShipmentId& shipment) {
    tenants.push_back(order.first);
    orders.push_back(order.second);
    shipments.push_back(shipment.str());
  }
};

void InsertShipmentItems(postgres::Session& session, const std::vector<ShipmentRow>& rows) {
  static constexpr Statement kInsert{"shipment_items_insert", R"sql(
    INSERT INTO shipment_item (tenant_id, order_id, shipment_id, sku, qty)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
  )sql"};
  Columns columns;
  std::vector<std::string> skus;
  std::vector<std::int64_t> quantities;
  for (const auto& [order, shipment] : rows) {
    for (const ShipmentItem& item : shipment->items) {
      columns.Add(order, shipment->id);
      skus.push_back(item.sku.str());
      quantities.push_back(item.qty);
    }
  }
  session.Exec(kInsert, ArrayLiteral(columns.tenants), ArrayLiteral(columns.orders),
               ArrayLiteral(columns.shipments), ArrayLiteral(skus), ArrayLiteral(quantities));
}

}  // namespace

void ReadShipments(postgres::Session& session, const std::map<OrderKey, Order*>& orders) {
  static constexpr Statement kRead{"shipments_read", R"sql(
    SELECT k.tenant_id, k.order_id, s.shipment_id, s.vendor_id, s.status, s.carrier, s.tracking_number, s.shipped, s.delivered, s.sku, s.qty
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, order_id)
    CROSS JOIN LATERAL (
      SELECT shipment_id, vendor_id, status, carrier, tracking_number, (extract(epoch FROM shipped_at) * 1e6)::bigint AS shipped,
             (extract(epoch FROM delivered_at) * 1e6)::bigint AS delivered, i.sku, i.qty
      FROM shipment JOIN shipment_item i USING (tenant_id, order_id, shipment_id)
      WHERE tenant_id = k.tenant_id AND order_id = k.order_id
      ORDER BY created_at, shipment_id, i.sku
    ) s
  )sql"};
  std::vector<OrderKey> keys;
  for (const auto& [key, order] : orders) keys.push_back(key);
  const OrderKeyColumns columns(keys);
  for (const pqxx::row& row :
       session.Exec(kRead, ArrayLiteral(columns.tenants), ArrayLiteral(columns.orders))) {
    std::vector<Shipment>& shipments =
        orders.at({row[0].as<std::string>(), row[1].as<std::string>()})->shipments;
    const ShipmentId id = ShipmentId::Trusted(row[2].as<std::string>());
    if (shipments.empty() || shipments.back().id != id) {
      shipments.push_back({.id = id,
                           .vendor_id = row[3].as<std::string>(),
                           .status = ShipmentStatusOf(row[4].as<std::string>()),
                           .carrier = row[5].as<std::string>(),
                           .tracking_number = row[6].as<std::string>(),
                           .shipped_at = TimeOf(row[7]),
                           .delivered_at = TimeOf(row[8])});
    }
    shipments.back().items.push_back(
        {SkuCode::Trusted(row[9].as<std::string>()), row[10].as<std::int64_t>()});
  }
}

void InsertShipments(postgres::Session& session, const std::vector<ShipmentRow>& rows) {
  static constexpr Statement kInsert{"shipments_insert", R"sql(
    INSERT INTO shipment (tenant_id, order_id, shipment_id, vendor_id, status, carrier, tracking_number)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  )sql"};
  if (rows.empty()) return;
  Columns columns;
  std::vector<std::string> vendors, statuses, carriers, tracking_numbers;
  for (const auto& [order, shipment] : rows) {
    columns.Add(order, shipment->id);
    vendors.push_back(shipment->vendor_id);
    statuses.emplace_back(Word(shipment->status));
    carriers.push_back(shipment->carrier);
    tracking_numbers.push_back(shipment->tracking_number);
  }
  session.Exec(kInsert, ArrayLiteral(columns.tenants), ArrayLiteral(columns.orders),
               ArrayLiteral(columns.shipments), ArrayLiteral(vendors), ArrayLiteral(statuses),
               ArrayLiteral(carriers), ArrayLiteral(tracking_numbers));
  InsertShipmentItems(session, rows);
}

void UpdateShipments(postgres::Session& session, const std::vector<ShipmentRow>& rows) {
  static constexpr Statement kUpdate{"shipments_update", R"sql(
    MERGE INTO shipment s
    USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
      AS k (tenant_id, order_id, shipment_id, status, shipped, delivered)
    ON s.tenant_id = k.tenant_id AND s.order_id = k.order_id AND s.shipment_id = k.shipment_id
    WHEN MATCHED THEN UPDATE
      SET status = k.status, shipped_at = 'epoch'::timestamptz + k.shipped * interval '1 microsecond',
          delivered_at = 'epoch'::timestamptz + k.delivered * interval '1 microsecond'
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  if (rows.empty()) return;
  Columns columns;
  std::vector<std::string> statuses;
  std::vector<std::optional<std::int64_t>> shipped, delivered;
  for (const auto& [order, shipment] : rows) {
    columns.Add(order, shipment->id);
    statuses.emplace_back(Word(shipment->status));
    shipped.push_back(Micros(shipment->shipped_at));
    delivered.push_back(Micros(shipment->delivered_at));
  }
  session.Exec(kUpdate, ArrayLiteral(columns.tenants), ArrayLiteral(columns.orders),
               ArrayLiteral(columns.shipments), ArrayLiteral(statuses), ArrayLiteral(shipped),
               ArrayLiteral(delivered));
}

void DeleteShipments(postgres::Session& session, const std::vector<ShipmentKey>& keys) {
  static constexpr Statement kItems{"shipment_items_delete", R"sql(
    MERGE INTO shipment_item s
    USING unnest($1::text[], $2::text[], $3::text[]) AS k (tenant_id, order_id, shipment_id)
    ON s.tenant_id = k.tenant_id AND s.order_id = k.order_id AND s.shipment_id = k.shipment_id
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  static constexpr Statement kShipments{"shipments_delete", R"sql(
    MERGE INTO shipment s
    USING unnest($1::text[], $2::text[], $3::text[]) AS k (tenant_id, order_id, shipment_id)
    ON s.tenant_id = k.tenant_id AND s.order_id = k.order_id AND s.shipment_id = k.shipment_id
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  if (keys.empty()) return;
  Columns columns;
  for (const auto& [order, shipment] : keys) columns.Add(order, shipment);
  for (const Statement& statement : {kItems, kShipments}) {
    session.Exec(statement, ArrayLiteral(columns.tenants), ArrayLiteral(columns.orders),
                 ArrayLiteral(columns.shipments));
  }
}

}  // namespace bv::order
