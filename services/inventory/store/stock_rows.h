// The rows that a stock batch reads and writes; one statement each.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/inventory/domain/commands.h"

namespace bv::inventory {

using ReservationKey = std::pair<TenantId, std::string>;
using StockKey = std::pair<TenantId, SkuCode>;

struct LedgerRow {
  TenantId tenant;
  AdjustmentId adjustment_id;
  SkuCode sku;
  LocationCode location;
  std::int64_t on_hand_delta = 0;
  std::int64_t reserved_delta = 0;
  std::string reason;
  std::string reservation_id;
  std::string user_id;
};

struct NewReservation {
  TenantId tenant;
  const Reservation* reservation = nullptr;
};

// All of these throw what libpqxx throws.

// The reservations that exist, locked in key order.
std::map<ReservationKey, Reservation> LockReservations(postgres::Session& session,
                                                       const std::set<ReservationKey>& keys);
// The shelves of every key that is stocked, locked in key order.
std::map<TenantId, Shelves> LockStock(postgres::Session& session, const std::set<StockKey>& keys);
// The ledger rows that exist under these ids.
std::map<std::pair<TenantId, AdjustmentId>, LedgerRow> FindAdjustments(
    postgres::Session& session, const std::set<std::pair<TenantId, AdjustmentId>>& keys);
// Makes an empty place for each command that has none, so that there is a row to lock.
void InsertPlaces(postgres::Session& session,
                  const std::vector<std::pair<TenantId, const AdjustCommand*>>& commands);

// Writes the changed places.
void UpdateStock(postgres::Session& session, const std::map<TenantId, Shelves>& stock);
void MarkReleased(postgres::Session& session, const std::vector<ReservationKey>& keys);
// False when another replica has written one of the rows since this transaction looked for it: it has to run
// again.
[[nodiscard]] bool InsertReservations(postgres::Session& session,
                                      const std::vector<NewReservation>& reservations);
[[nodiscard]] bool InsertLedger(postgres::Session& session, const std::vector<LedgerRow>& rows);

// For reads outside a batch: the shelf of one SKU, without locks; no places when it was never stocked.
Shelf ReadShelf(postgres::Session& session, const TenantId& tenant, const SkuCode& sku);

}  // namespace bv::inventory
