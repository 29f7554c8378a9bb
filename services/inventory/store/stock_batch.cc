#include "services/inventory/store/stock_batch.h"

#include <algorithm>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"
#include "services/inventory/events/stock_adjusted.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

using Item = StockLanes::Item;

constexpr char kReserved[] = "RESERVED";
constexpr char kReleased[] = "RELEASED";

// One batch, from the rows it locked to the rows it writes.
class StockBatch {
 public:
  StockBatch(postgres::Session& session, std::span<Item* const> items) : session_(session), items_(items) {}

  absl::Status Run() {
    Lock();
    for (Item* item : items_) {
      item->answer =
          std::visit([&](const auto& command) { return Decide(item->context, command); }, item->request);
    }
    return Write();
  }

 private:
  void Lock() {
    std::set<ReservationKey> reservation_keys;
    std::set<StockKey> stock_keys;
    std::set<std::pair<TenantId, AdjustmentId>> adjustment_keys;
    std::vector<std::pair<TenantId, const AdjustCommand*>> arrivals;
    for (const Item* item : items_) {
      const TenantId& tenant = item->context.tenant;
      if (const auto* reserve = std::get_if<ReserveCommand>(&item->request)) {
        reservation_keys.insert({tenant, reserve->reservation_id});
        for (const Line& line : reserve->lines) stock_keys.insert({tenant, line.sku});
      } else if (const auto* release = std::get_if<ReleaseCommand>(&item->request)) {
        reservation_keys.insert({tenant, release->reservation_id});
      } else {
        const auto& adjust = std::get<AdjustCommand>(item->request);
        adjustment_keys.insert({tenant, adjust.adjustment_id});
        stock_keys.insert({tenant, adjust.sku});
        if (adjust.delta > 0) arrivals.emplace_back(tenant, &adjust);
      }
    }
    // Always in this order, and each in key order, so that no two batches wait for each other.
    reservations_ = LockReservations(session_, reservation_keys);
    for (const auto& [key, reservation] : reservations_) {
      for (const Allocation& allocation : reservation.allocations)
        stock_keys.insert({key.first, allocation.sku});
    }
    InsertPlaces(session_, arrivals);
    stock_ = LockStock(session_, stock_keys);
    adjustments_ = FindAdjustments(session_, adjustment_keys);
  }

  absl::StatusOr<Outcome> Decide(const RequestContext& context, const ReserveCommand& command) {
    const ReservationKey key{context.tenant, command.reservation_id};
    if (const auto found = reservations_.find(key); found != reservations_.end()) {
      std::vector<Line> wanted = command.lines;
      std::ranges::sort(wanted, {}, &Line::sku);
      if (found->second.user_id != command.user_id || LinesOf(found->second.allocations) != wanted) {
        return Error(absl::StatusCode::kAlreadyExists, "RESERVATION_MISMATCH",
                     "another reservation has this id", "reservationId");
      }
      return Outcome{.reservation = found->second};
    }
    absl::StatusOr<std::vector<Allocation>> taken = Reserve(stock_[context.tenant], command.lines);
    if (!taken.ok()) return taken.status();
    Reservation& reservation = reservations_[key];
    reservation = {.reservation_id = command.reservation_id,
                   .user_id = command.user_id,
                   .allocations = *std::move(taken)};
    reservation.expires_at = session_.transaction_time() + command.hold;
    new_reservations_.push_back({context.tenant, &reservation});
    for (const Allocation& a : reservation.allocations)
      Note(context, a.sku, a.location, 0, a.qty, kReserved, command.reservation_id);
    return Outcome{.reservation = reservation};
  }

  absl::StatusOr<Outcome> Decide(const RequestContext& context, const ReleaseCommand& command) {
    const auto found = reservations_.find({context.tenant, command.reservation_id});
    if (found == reservations_.end() ||
        (!command.user_id.empty() && found->second.user_id != command.user_id)) {
      return NotFound("RESERVATION_NOT_FOUND", Concat("there is no reservation ", command.reservation_id));
    }
    Reservation& reservation = found->second;
    if (reservation.state == ReservationState::kHeld) {
      reservation.state = ReservationState::kReleased;
      Release(stock_[context.tenant], reservation.allocations);
      released_.push_back(found->first);
      for (const Allocation& a : reservation.allocations)
        Note(context, a.sku, a.location, 0, -a.qty, kReleased, command.reservation_id);
    }
    return Outcome{.reservation = reservation};
  }

  absl::StatusOr<Outcome> Decide(const RequestContext& context, const AdjustCommand& command) {
    Shelves& shelves = stock_[context.tenant];
    if (const auto found = adjustments_.find({context.tenant, command.adjustment_id});
        found != adjustments_.end()) {
      const LedgerRow& first = found->second;
      if (first.sku != command.sku || first.location != command.location ||
          first.on_hand_delta != command.delta || first.reason != command.reason.str()) {
        return Error(absl::StatusCode::kInvalidArgument, "IDEMPOTENCY_KEY_REUSED",
                     "another adjustment was made with this Idempotency-Key", "Idempotency-Key");
      }
      return Outcome{.shelf = shelves[command.sku]};
    }
    RETURN_IF_ERROR(Adjust(shelves, command.sku, command.location, command.delta));
    Note(context, command.sku, command.location, command.delta, 0, command.reason.str(), "",
         command.adjustment_id);
    adjustments_[{context.tenant, command.adjustment_id}] = ledger_.back();
    return Outcome{.shelf = shelves[command.sku]};
  }

  // A line of the ledger, and its part in the SKU's event.
  void Note(const RequestContext& context, const SkuCode& sku, const LocationCode& location,
            std::int64_t on_hand_delta, std::int64_t reserved_delta, const std::string& reason,
            const std::string& reservation_id, AdjustmentId adjustment_id = AdjustmentId::New()) {
    ledger_.push_back({context.tenant, std::move(adjustment_id), sku, location, on_hand_delta, reserved_delta,
                       reason, reservation_id, context.user_id});
    const auto [change, is_new] =
        changes_.try_emplace({context.tenant, sku}, StockChange{sku, 0, reason, &context});
    change->second.delta += on_hand_delta - reserved_delta;
    if (change->second.reason != reason) change->second.reason = "MIXED";
  }

  absl::Status Write() {
    UpdateStock(session_, stock_);
    if (!InsertReservations(session_, new_reservations_) || !InsertLedger(session_, ledger_)) {
      return absl::AbortedError("another replica handled one of these requests at the same time");
    }
    MarkReleased(session_, released_);
    std::vector<events::OutboxRow> rows;
    for (const auto& [key, change] : changes_) {
      ASSIGN_OR_RETURN(events::OutboxRow row,
                       StockAdjustedRow(change, stock_[key.first][key.second], session_.transaction_time()));
      rows.push_back(std::move(row));
    }
    events::InsertOutbox(session_, rows);
    return absl::OkStatus();
  }

  postgres::Session& session_;
  const std::span<Item* const> items_;
  std::map<ReservationKey, Reservation> reservations_;
  std::map<TenantId, Shelves> stock_;
  std::map<std::pair<TenantId, AdjustmentId>, LedgerRow> adjustments_;

  std::vector<NewReservation> new_reservations_;
  std::vector<ReservationKey> released_;
  std::vector<LedgerRow> ledger_;
  std::map<StockKey, StockChange> changes_;
};

}  // namespace

absl::Status ExecuteStockBatch(postgres::Session& session, std::span<StockLanes::Item* const> items) {
  return StockBatch(session, items).Run();
}

}  // namespace bv::inventory
