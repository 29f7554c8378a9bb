// The rows that a stock batch reads and writes: one statement to lock, one to write.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libs/events/outbox.h"
#include "libs/postgres/postgres.h"
#include "services/inventory/domain/desk.h"

namespace bv::inventory {

// All of these throw what libpqxx throws.

struct BatchKeys {
  std::set<ReservationKey> reservations;
  std::set<StockKey> stock;
  std::set<AdjustmentKey> adjustments;
};

// Adds to `desk` the time and what exists under the keys, reservations and then stock locked in key order;
// what the ledger has under the adjustments' ids is only read, since a ledger row never changes.
void LockRows(postgres::Session& session, const BatchKeys& keys, Desk& desk);
// Reads the lines of the desk's reservations again. LockRows may have waited for another batch to let a
// reservation go, and sees the row as that one left it, but the lines as they were before the wait.
void ReadLinesAgain(postgres::Session& session, Desk& desk);
// Makes an empty place for each command that has none, so that there is a row to lock.
void InsertPlaces(postgres::Session& session,
                  const std::vector<std::pair<TenantId, const AdjustCommand*>>& commands);
// Writes all that the desk has collected, and the events. False when one of the rows that are to be new is
// there: the transaction has to be rolled back, and run again when it has looked for them.
[[nodiscard]] bool WriteRows(postgres::Session& session, const Desk& desk,
                             const std::vector<events::OutboxRow>& events);

// The reservations that took something of the SKU since then, at most `limit`.
std::vector<std::string> ReadHolders(postgres::Session& session, const StockKey& key, absl::Time since,
                                     std::size_t limit);

// For reads outside a batch: the shelf of one SKU, without locks; no places when it was never stocked.
Shelf ReadShelf(postgres::Session& session, const TenantId& tenant, const SkuCode& sku);
// The same of every SKU of these products, by product and SKU.
using ProductShelves = std::vector<std::pair<SkuCode, Shelf>>;
ProductShelves ReadShelves(postgres::Session& session, const TenantId& tenant,
                           const std::vector<ProductId>& products);
std::optional<Reservation> ReadReservation(postgres::Session& session, const TenantId& tenant,
                                           const std::string& reservation_id);

struct FoundHold {
  TenantId tenant;
  std::string reservation_id;
  // One of its SKUs.
  SkuCode sku;
  absl::Time created_at;
};
// Holds whose time is over, the oldest first. In a session of EveryTenant.
std::vector<FoundHold> FindExpired(postgres::Session& session, int limit);
// Holds for orders, made after `after` and more than `age` ago, the oldest first. In a session of
// EveryTenant.
std::vector<FoundHold> FindHoldsForOrders(postgres::Session& session, absl::Time after, absl::Duration age,
                                          int limit);

}  // namespace bv::inventory
