// What a lane is asked to do with the stock, and what it answers.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "services/inventory/domain/stock.h"

namespace bv::inventory {

struct ReserveCommand {
  std::string reservation_id;
  std::string user_id;
  std::vector<Line> lines;
  absl::Duration hold;
};

struct ReleaseCommand {
  std::string reservation_id;
  // When not empty, only a reservation of this user is found.
  std::string user_id;
};

struct AdjustCommand {
  // The same for a repeated request, so that it acts once.
  AdjustmentId adjustment_id;
  std::string user_id;
  SkuCode sku;
  ProductId product;
  LocationCode location;
  std::int64_t delta = 0;
  ReasonCode reason;
};

using Command = std::variant<ReserveCommand, ReleaseCommand, AdjustCommand>;

enum class ReservationState { kHeld, kReleased };

struct Reservation {
  std::string reservation_id;
  std::string user_id;
  ReservationState state = ReservationState::kHeld;
  absl::Time expires_at;
  std::vector<Allocation> allocations;
};

// Of a reserve or release: the reservation; of an adjustment: the shelf after it.
struct Outcome {
  Reservation reservation;
  Shelf shelf;
};

}  // namespace bv::inventory
