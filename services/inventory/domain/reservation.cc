#include "services/inventory/domain/reservation.h"

#include <algorithm>
#include <array>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/inventory/domain/quota.h"

namespace bv::inventory {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, 5> kStates{"HELD", "COMMITTED", "RELEASED", "EXPIRED", "SHIPPED"};
constexpr std::array<std::string_view, 3> kHolders{"OTHER", "ORDER", "CART"};

absl::Status NotHeld(const Reservation& reservation) {
  return Error(absl::StatusCode::kFailedPrecondition, "RESERVATION_NOT_HELD",
               Concat("the reservation ", reservation.reservation_id, " is ", Word(reservation.state)));
}

}  // namespace

std::string_view Word(ReservationState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::string_view Word(Holder holder) {
  return kHolders[static_cast<std::size_t>(holder)];
}

ReservationState ReservationStateOf(std::string_view word) {
  return static_cast<ReservationState>(std::ranges::find(kStates, word) - kStates.begin());
}

Holder HolderOf(std::string_view word) {
  return static_cast<Holder>(std::ranges::find(kHolders, word) - kHolders.begin());
}

absl::Status Commit(Reservation& reservation) {
  if (!reservation.is_active()) return NotHeld(reservation);
  reservation.state = ReservationState::kCommitted;
  return absl::OkStatus();
}

absl::Status Uncommit(Reservation& reservation) {
  if (!reservation.is_active()) return NotHeld(reservation);
  reservation.state = ReservationState::kHeld;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Allocation>> Ship(Reservation& reservation, const std::vector<Line>& lines) {
  if (reservation.state != ReservationState::kCommitted) {
    return Error(absl::StatusCode::kFailedPrecondition, "RESERVATION_NOT_COMMITTED",
                 Concat("the reservation ", reservation.reservation_id, " is ", Word(reservation.state)));
  }
  std::vector<Allocation> after = reservation.allocations;
  std::vector<Allocation> taken;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::int64_t wanted = lines[i].qty;
    for (Allocation& allocation : after) {
      if (allocation.sku != lines[i].sku) continue;
      const std::int64_t qty = std::min(wanted, allocation.qty - allocation.shipped);
      if (qty <= 0) continue;
      allocation.shipped += qty;
      wanted -= qty;
      taken.push_back({.sku = allocation.sku, .location = allocation.location, .qty = qty});
    }
    if (wanted > 0) {
      return Error(absl::StatusCode::kFailedPrecondition, "SHIPMENT_TOO_LARGE",
                   Concat("of ", lines[i].sku.str(), " ", lines[i].qty - wanted, " are left to ship, ",
                          lines[i].qty, " are wanted"),
                   Concat("lines[", i, "].qty"));
    }
  }
  const bool all_goods =
      std::ranges::all_of(after, [](const Allocation& a) { return a.shipped == a.qty || IsQuota(a.sku); });
  if (all_goods) {
    for (Allocation& allocation : after) {
      if (!IsQuota(allocation.sku)) continue;
      allocation.shipped = allocation.qty;
      taken.push_back({.sku = allocation.sku, .location = allocation.location, .qty = allocation.qty});
    }
    reservation.state = ReservationState::kShipped;
  }
  reservation.allocations = std::move(after);
  return taken;
}

}  // namespace bv::inventory
