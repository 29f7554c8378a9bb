// The rows of shipments. Everything here throws what libpqxx throws.
#pragma once

#include <map>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/order/domain/order.h"
#include "services/order/store/order_key.h"

namespace bv::order {

// Appends to each order its shipments, oldest first.
void ReadShipments(postgres::Session& session, const std::map<OrderKey, Order*>& orders);

struct ShipmentRow {
  OrderKey order;
  const Shipment* shipment = nullptr;
};
void InsertShipments(postgres::Session& session, const std::vector<ShipmentRow>& rows);
// Their status and times.
void UpdateShipments(postgres::Session& session, const std::vector<ShipmentRow>& rows);

struct ShipmentKey {
  OrderKey order;
  ShipmentId shipment;
};
void DeleteShipments(postgres::Session& session, const std::vector<ShipmentKey>& keys);

}  // namespace bv::order
