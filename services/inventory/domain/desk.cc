#include "services/inventory/domain/desk.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/inventory/domain/quota.h"

namespace bv::inventory {
namespace {

absl::Status Mismatch() {
  return Error(absl::StatusCode::kAlreadyExists, "RESERVATION_MISMATCH", "another reservation has this id",
               "reservationId");
}

}  // namespace

AdjustmentId ShipmentLedgerId(const TenantId& tenant, const ShipCommand& command, const SkuCode& sku) {
  return AdjustmentId::DerivedFrom({tenant.str(), command.reservation_id, command.shipment_id, sku.str()});
}

absl::StatusOr<Outcome> Desk::Decide(const RequestContext& context, const Command& command) {
  return std::visit([&](const auto& each) { return Do(context, each); }, command);
}

bool Desk::is_unchanged() const {
  if (!added.empty() || !changed.empty() || !shipped.empty() || !ledger.empty() || !news.empty())
    return false;
  for (const auto& [tenant, shelves] : stock) {
    for (const auto& [sku, shelf] : shelves) {
      if (std::ranges::any_of(shelf.places, &Place::dirty)) return false;
    }
  }
  return true;
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const ReserveCommand& command) {
  const ReservationKey key{context.tenant, command.reservation_id};
  if (const auto found = reservations.find(key); found != reservations.end()) {
    std::vector<Line> wanted = command.lines;
    std::ranges::sort(wanted, {}, &Line::sku);
    if (found->second.user_id != command.user_id || LinesOf(found->second.allocations) != wanted)
      return Mismatch();
    return Outcome{.reservation = found->second};
  }
  Shelves& shelves = stock[context.tenant];
  std::vector<Reservation*> replaced;
  for (const std::string& id : command.replaces) {
    if (Reservation* hold = FindCartHold(context, id)) replaced.push_back(hold);
  }
  // What the cart holds is there to be taken; if it does not suffice, the cart keeps it.
  const Shelves before = replaced.empty() ? Shelves() : shelves;
  for (const Reservation* hold : replaced) inventory::Release(shelves, hold->allocations);
  absl::StatusOr<std::vector<Allocation>> taken = Reserve(shelves, command.lines, command.split);
  if (!taken.ok()) {
    if (!replaced.empty()) shelves = before;
    return taken.status();
  }
  for (Reservation* hold : replaced) NoteReplaced(context, *hold);
  Reservation& reservation = reservations[key];
  reservation = {.reservation_id = command.reservation_id,
                 .user_id = command.user_id,
                 .holder = command.holder,
                 .created_at = now,
                 .expires_at = now + command.hold,
                 .allocations = *std::move(taken)};
  added.insert(key);
  NoteAllocations(context, reservation, 1, "RESERVED");
  return Outcome{.reservation = reservation};
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const HoldCommand& command) {
  const ReservationKey key{context.tenant, command.reservation_id};
  const auto found = reservations.find(key);
  const bool is_new = found == reservations.end();
  if (!is_new) {
    if (found->second.holder != Holder::kCart || found->second.cart_id != command.cart_id) return Mismatch();
    if (found->second.item_version >= command.item_version) return Outcome{.reservation = found->second};
    if (found->second.state == ReservationState::kHeld) {
      inventory::Release(stock[context.tenant], found->second.allocations);
      NoteAllocations(context, found->second, -1, "RELEASED");
    }
  }
  if (Reservation* replaced = FindCartHold(context, command.replaces)) {
    inventory::Release(stock[context.tenant], replaced->allocations);
    NoteReplaced(context, *replaced);
  }
  Reservation hold{.reservation_id = command.reservation_id,
                   .user_id = command.user_id,
                   .state = ReservationState::kReleased,
                   .holder = Holder::kCart,
                   .created_at = is_new ? now : found->second.created_at,
                   .expires_at = now + command.hold,
                   .cart_id = command.cart_id,
                   .item_version = command.item_version};
  const Line line{command.sku, command.qty};
  ReservationNews told{.kind = ReservationNews::Kind::kReleased, .line = line, .context = &context};
  if (command.qty > 0) {
    absl::StatusOr<std::vector<Allocation>> taken = Reserve(stock[context.tenant], {line}, Split::kAllowed);
    if (taken.ok()) {
      hold.state = ReservationState::kHeld;
      hold.allocations = *std::move(taken);
      NoteAllocations(context, hold, 1, "RESERVED");
      told.kind = ReservationNews::Kind::kHeld;
    } else {
      told.kind = ReservationNews::Kind::kRejected;
      told.reason = ErrorReason(taken.status());
    }
  }
  told.reservation = hold;
  news.push_back(std::move(told));
  // A hold that was made in this batch and is changed in it stays an added one.
  if (is_new) {
    added.insert(key);
  } else if (!added.contains(key)) {
    changed.insert(key);
    relined.insert(key);
  }
  reservations[key] = hold;
  return Outcome{.reservation = std::move(hold)};
}

Reservation* Desk::FindCartHold(const RequestContext& context, const std::string& id) {
  const auto found = reservations.find({context.tenant, id});
  const bool is_held = found != reservations.end() && found->second.holder == Holder::kCart &&
                       found->second.state == ReservationState::kHeld;
  return is_held ? &found->second : nullptr;
}

void Desk::NoteReplaced(const RequestContext& context, Reservation& hold) {
  hold.state = ReservationState::kReleased;
  changed.insert(KeyOf(context, hold));
  NoteAllocations(context, hold, -1, "RELEASED");
  news.push_back({.kind = ReservationNews::Kind::kReleased,
                  .reservation = hold,
                  .line = LinesOf(hold.allocations).front(),
                  .context = &context});
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const CommitCommand& command) {
  ASSIGN_OR_RETURN(Reservation * reservation, Find(context, command.reservation_id));
  const ReservationState before = reservation->state;
  RETURN_IF_ERROR(Commit(*reservation));
  if (reservation->state != before) changed.insert(KeyOf(context, *reservation));
  return Outcome{.reservation = *reservation};
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const UncommitCommand& command) {
  ASSIGN_OR_RETURN(Reservation * reservation, Find(context, command.reservation_id));
  const ReservationState before = reservation->state;
  RETURN_IF_ERROR(Uncommit(*reservation));
  if (reservation->state != before) changed.insert(KeyOf(context, *reservation));
  return Outcome{.reservation = *reservation};
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const ShipCommand& command) {
  ASSIGN_OR_RETURN(Reservation * reservation, Find(context, command.reservation_id));
  // The ledger knows what this shipment took, if it was here before.
  std::vector<Allocation> before;
  for (const Line& line : command.lines) {
    const auto found =
        adjustments.find({context.tenant, ShipmentLedgerId(context.tenant, command, line.sku)});
    if (found != adjustments.end())
      before.push_back({.sku = line.sku, .location = found->second.location, .qty = line.qty});
  }
  Outcome outcome;
  if (!before.empty()) {
    outcome.reservation = *reservation;
    outcome.reservation.allocations = std::move(before);
    return outcome;
  }
  Shelves& shelves = stock[context.tenant];
  for (std::size_t i = 0; i < command.lines.size(); ++i) {
    const Line& line = command.lines[i];
    std::int64_t on_hand = 0;
    for (const Place& place : shelves[line.sku].places) on_hand += place.on_hand;
    if (on_hand < line.qty) {
      return Error(
          absl::StatusCode::kFailedPrecondition, "STOCK_NEGATIVE",
          Concat("of ", line.sku.str(), " ", on_hand, " are on hand, ", line.qty, " are to be shipped"),
          Concat("lines[", i, "].qty"));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<Allocation> taken, Ship(*reservation, command.lines));
  TakeOut(shelves, taken);
  shipped.insert(KeyOf(context, *reservation));
  if (reservation->state == ReservationState::kShipped) changed.insert(KeyOf(context, *reservation));
  std::set<SkuCode> seen;
  for (const Allocation& allocation : taken) {
    // The first line of a SKU has the id by which a repeat is known.
    const bool first = seen.insert(allocation.sku).second;
    Note(context, {.adjustment_id = first ? ShipmentLedgerId(context.tenant, command, allocation.sku)
                                          : AdjustmentId::New(),
                   .sku = allocation.sku,
                   .location = allocation.location,
                   .on_hand_delta = -allocation.qty,
                   .reserved_delta = -allocation.qty,
                   .reason = "SHIPPED",
                   .reservation_id = command.reservation_id,
                   .shipment_id = command.shipment_id});
    if (first) adjustments[{context.tenant, ledger.back().adjustment_id}] = ledger.back();
  }
  outcome.reservation = *reservation;
  outcome.reservation.allocations = taken;
  // What a shipment is said to have taken is goods.
  std::erase_if(outcome.reservation.allocations, [](const Allocation& a) { return IsQuota(a.sku); });
  return outcome;
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const ReleaseCommand& command) {
  ASSIGN_OR_RETURN(Reservation * reservation, Find(context, command.reservation_id, command.user_id));
  if (!command.user_id.empty() && reservation->state == ReservationState::kCommitted) {
    return Error(absl::StatusCode::kFailedPrecondition, "RESERVATION_NOT_HELD",
                 Concat("the reservation ", command.reservation_id, " is COMMITTED"));
  }
  if (reservation->is_active()) GiveBack(context, *reservation, ReservationState::kReleased);
  return Outcome{.reservation = *reservation};
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const ExpireCommand& command) {
  ASSIGN_OR_RETURN(Reservation * reservation, Find(context, command.reservation_id));
  if (reservation->state == ReservationState::kHeld && reservation->expires_at <= now)
    GiveBack(context, *reservation, ReservationState::kExpired);
  return Outcome{.reservation = *reservation};
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const AdjustCommand& command) {
  Shelves& shelves = stock[context.tenant];
  const AdjustmentKey key{context.tenant, command.adjustment_id};
  if (const auto found = adjustments.find(key); found != adjustments.end()) {
    const LedgerRow& first = found->second;
    if (first.sku != command.sku || first.location != command.location ||
        first.on_hand_delta != command.delta || first.reason != command.reason.str()) {
      return Error(absl::StatusCode::kInvalidArgument, "IDEMPOTENCY_KEY_REUSED",
                   "another adjustment was made with this Idempotency-Key", "Idempotency-Key");
    }
    return Outcome{.shelf = shelves[command.sku]};
  }
  ASSIGN_OR_RETURN(const bool forced,
                   Adjust(shelves, command.sku, command.location, command.delta, command.force));
  Note(context, {.adjustment_id = command.adjustment_id,
                 .sku = command.sku,
                 .location = command.location,
                 .on_hand_delta = command.delta,
                 .reason = command.reason.str(),
                 .forced = forced});
  adjustments[key] = ledger.back();
  return Outcome{.shelf = shelves[command.sku]};
}

absl::StatusOr<Outcome> Desk::Do(const RequestContext& context, const PolicyCommand& command) {
  Shelves& shelves = stock[context.tenant];
  ASSIGN_OR_RETURN(const std::int64_t growth,
                   SetPolicy(shelves, command.sku, command.location, command.policy));
  if (growth != 0) {
    Note(context, {.adjustment_id = AdjustmentId::New(),
                   .sku = command.sku,
                   .location = command.location,
                   .buffer_delta = growth,
                   .reason = "BUFFER"});
  }
  return Outcome{.shelf = shelves[command.sku]};
}

absl::StatusOr<Reservation*> Desk::Find(const RequestContext& context, const std::string& reservation_id,
                                        const std::string& user_id) {
  const auto found = reservations.find({context.tenant, reservation_id});
  if (found == reservations.end() || (!user_id.empty() && found->second.user_id != user_id))
    return NotFound("RESERVATION_NOT_FOUND", Concat("there is no reservation ", reservation_id));
  return &found->second;
}

void Desk::GiveBack(const RequestContext& context, Reservation& reservation, ReservationState state) {
  reservation.state = state;
  changed.insert(KeyOf(context, reservation));
  inventory::Release(stock[context.tenant], reservation.allocations);
  const bool expired = state == ReservationState::kExpired;
  NoteAllocations(context, reservation, -1, expired ? "EXPIRED" : "RELEASED");
  if (!expired && reservation.holder != Holder::kCart) return;
  ReservationNews told{.kind = expired ? ReservationNews::Kind::kExpired : ReservationNews::Kind::kReleased,
                       .reservation = reservation,
                       .context = &context};
  if (!reservation.allocations.empty()) told.line = LinesOf(reservation.allocations).front();
  news.push_back(std::move(told));
}

void Desk::NoteAllocations(const RequestContext& context, const Reservation& reservation, int sign,
                           const std::string& reason) {
  for (const Allocation& allocation : reservation.allocations) {
    const std::int64_t qty = allocation.qty - allocation.shipped;
    if (qty == 0) continue;
    Note(context, {.adjustment_id = AdjustmentId::New(),
                   .sku = allocation.sku,
                   .location = allocation.location,
                   .reserved_delta = sign * qty,
                   .reason = reason,
                   .reservation_id = reservation.reservation_id});
  }
}

void Desk::Note(const RequestContext& context, LedgerRow row) {
  row.tenant = context.tenant;
  row.user_id = context.user_id;
  const auto [change, is_new] =
      changes.try_emplace({context.tenant, row.sku}, StockChange{.reason = row.reason, .context = &context});
  change->second.delta += row.on_hand_delta - row.reserved_delta - row.buffer_delta;
  if (change->second.reason != row.reason) change->second.reason = "MIXED";
  ledger.push_back(std::move(row));
}

}  // namespace bv::inventory
