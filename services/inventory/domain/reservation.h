// What is promised of the stock to whom, and the states of a promise; pure.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

#include "services/inventory/domain/stock.h"

namespace bv::inventory {

// HELD → COMMITTED → SHIPPED; HELD → EXPIRED; HELD or COMMITTED → RELEASED; COMMITTED → HELD when a payment
// failed.
enum class ReservationState { kHeld, kCommitted, kReleased, kExpired, kShipped };
enum class Holder { kOther, kOrder, kCart };

// The words in rows, events and errors.
std::string_view Word(ReservationState state);
std::string_view Word(Holder holder);
// The inverse, for rows of the own database.
ReservationState ReservationStateOf(std::string_view word);
Holder HolderOf(std::string_view word);

struct Reservation {
  std::string reservation_id;
  std::string user_id;
  ReservationState state = ReservationState::kHeld;
  Holder holder = Holder::kOther;
  absl::Time created_at;
  absl::Time expires_at;
  std::vector<Allocation> allocations;
  // Of a cart's hold.
  std::string cart_id;
  std::int64_t item_version = 0;

  // Its stock is reserved.
  bool is_active() const { return state == ReservationState::kHeld || state == ReservationState::kCommitted; }
};

// The same again changes nothing. FAILED_PRECONDITION, reason RESERVATION_NOT_HELD, names the state.
absl::Status Commit(Reservation& reservation);
absl::Status Uncommit(Reservation& reservation);

// FAILED_PRECONDITION, reason RESERVATION_NOT_COMMITTED names the state, SHIPMENT_TOO_LARGE the line. Returns
// what to take where, and notes it as shipped. With the last of the goods goes what there is of quotas.
absl::StatusOr<std::vector<Allocation>> Ship(Reservation& reservation, const std::vector<Line>& lines);

}  // namespace bv::inventory
