#include "services/inventory/store/stock_batch.h"

#include <utility>

#include "libs/base/clock.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/inventory/events/reservation_news.h"
#include "services/inventory/events/stock_adjusted.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

using Item = StockLanes::Item;

// What the requests of a batch are about.
class Plan {
 public:
  explicit Plan(std::span<Item* const> items) {
    for (const Item* item : items) {
      tenant_ = &item->context.tenant;
      std::visit([this](const auto& command) { Add(command); }, item->request);
    }
  }

  BatchKeys keys;
  // A request changes the stock of a reservation that is there, whichever SKUs it has.
  bool needs_lines = false;
  // They may be the first of their place.
  std::vector<std::pair<TenantId, const AdjustCommand*>> arrivals;

 private:
  void AddReservation(const std::string& id) { keys.reservations.insert({*tenant_, id}); }
  void AddSku(const SkuCode& sku) { keys.stock.insert({*tenant_, sku}); }

  void Add(const ReserveCommand& command) {
    if (command.look_first) AddReservation(command.reservation_id);
    for (const Line& line : command.lines) AddSku(line.sku);
    for (const std::string& id : command.replaces) AddReservation(id);
    needs_lines |= !command.replaces.empty();
  }
  void Add(const HoldCommand& command) {
    AddReservation(command.reservation_id);
    if (!command.replaces.empty()) AddReservation(command.replaces);
    AddSku(command.sku);
    needs_lines = true;
  }
  void Add(const CommitCommand& command) { AddReservation(command.reservation_id); }
  void Add(const UncommitCommand& command) { AddReservation(command.reservation_id); }
  void Add(const ShipCommand& command) {
    AddReservation(command.reservation_id);
    for (const Line& line : command.lines) {
      AddSku(line.sku);
      keys.adjustments.insert({*tenant_, ShipmentLedgerId(*tenant_, command, line.sku)});
    }
    needs_lines = true;
  }
  void Add(const ReleaseCommand& command) {
    AddReservation(command.reservation_id);
    needs_lines = true;
  }
  void Add(const ExpireCommand& command) {
    AddReservation(command.reservation_id);
    needs_lines = true;
  }
  void Add(const AdjustCommand& command) {
    keys.adjustments.insert({*tenant_, command.adjustment_id});
    AddSku(command.sku);
    if (command.delta > 0) arrivals.emplace_back(*tenant_, &command);
  }
  void Add(const PolicyCommand& command) { AddSku(command.sku); }

  const TenantId* tenant_ = nullptr;
};

void Lock(postgres::Session& session, Plan& plan, Desk& desk) {
  // Before anything is locked: who inserts a place waits for another who does the same.
  InsertPlaces(session, plan.arrivals);
  if (!plan.needs_lines) return LockRows(session, plan.keys, desk);
  // Reservations first, since they tell which stock is theirs.
  BatchKeys first;
  first.reservations.swap(plan.keys.reservations);
  LockRows(session, first, desk);
  ReadLinesAgain(session, desk);
  for (const auto& [key, reservation] : desk.reservations) {
    for (const Allocation& allocation : reservation.allocations)
      plan.keys.stock.insert({key.first, allocation.sku});
  }
  LockRows(session, plan.keys, desk);
}

absl::StatusOr<std::vector<events::OutboxRow>> EventsOf(const Desk& desk) {
  std::vector<events::OutboxRow> rows;
  for (const auto& [key, change] : desk.changes) {
    ASSIGN_OR_RETURN(events::OutboxRow row,
                     AdjustedRow(key.second, change, desk.stock.at(key.first).at(key.second), desk.now));
    rows.push_back(std::move(row));
  }
  for (const ReservationNews& news : desk.news) {
    ASSIGN_OR_RETURN(events::OutboxRow row, ReservationNewsRow(news, desk.now));
    rows.push_back(std::move(row));
  }
  return rows;
}

// What the process is to remember of the locked shelves, once they are committed as they are now.
void RememberShelves(StockMemory& memory, postgres::Session& session, const Desk& desk) {
  for (const auto& [tenant, shelves] : desk.stock) {
    for (const auto& [sku, shelf] : shelves) {
      if (shelf.places.empty()) continue;
      const StockKey key{tenant, sku};
      const std::int64_t version = shelf.version();
      session.OnCommit([&memory, key, is_hot = shelf.is_hot] { memory.demand.Mark(key, is_hot); });
      if (shelf.available() > 0) {
        session.OnCommit([&memory, key, version] { memory.sold_out.Forget(key, version); });
        continue;
      }
      std::vector<std::string> holders;
      if (const auto since = memory.sold_out.ReadHoldersSince(key, version, desk.now))
        holders = ReadHolders(session, key, *since, SoldOut::kHoldersMax + 1);
      session.OnCommit([&memory, key, version, holders = std::move(holders), now = desk.now] {
        memory.sold_out.Remember(key, version, holders, now, MonotonicNow());
      });
    }
  }
}

// Nearly all reservations are new: the batch takes them for it, and looks first when it runs again.
absl::Status LookFirst(std::span<Item* const> items) {
  for (Item* item : items) {
    if (auto* reserve = std::get_if<ReserveCommand>(&item->request)) reserve->look_first = true;
  }
  return absl::AbortedError(
      "one of these requests was handled before, or at the same time by another replica");
}

// What is refused may be a repeat of what succeeded when there was enough.
bool MayBeRepeat(const Item& item) {
  const auto* reserve = std::get_if<ReserveCommand>(&item.request);
  return reserve != nullptr && !reserve->look_first && !item.answer.ok();
}

}  // namespace

absl::Status ExecuteStockBatch(StockMemory& memory, postgres::Session& session,
                               std::span<Item* const> items) {
  Plan plan(items);
  Desk desk;
  Lock(session, plan, desk);
  for (Item* item : items) {
    item->answer = desk.Decide(item->context, item->request);
    if (MayBeRepeat(*item)) return LookFirst(items);
  }
  if (!desk.is_unchanged()) {
    ASSIGN_OR_RETURN(const std::vector<events::OutboxRow> rows, EventsOf(desk));
    if (!WriteRows(session, desk, rows)) return LookFirst(items);
    CrashPoint("inventory.batch.written");
    session.OnCommit([] { CrashPoint("inventory.batch.committed"); });
  }
  RememberShelves(memory, session, desk);
  return absl::OkStatus();
}

}  // namespace bv::inventory
