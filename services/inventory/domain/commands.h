// What a lane is asked to do with the stock, and what it answers.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "services/inventory/domain/reservation.h"
#include "services/inventory/domain/stock.h"

namespace bv::inventory {

struct ReserveCommand {
  std::string reservation_id;
  std::string user_id;
  std::vector<Line> lines;
  absl::Duration hold;
  // Cart holds that are given back in the same breath.
  std::vector<std::string> replaces;
  Split split = Split::kAllowed;
  Holder holder = Holder::kOther;
  // Its reservation may be there: it is looked for before anything is decided.
  bool look_first = false;
};

// Of a cart, for one item: takes the place of what the reservation held before, unless that is of a newer
// version.
struct HoldCommand {
  std::string reservation_id;
  std::string cart_id;
  // Empty for the cart of a session.
  std::string user_id;
  SkuCode sku;
  // 0 gives the hold back.
  std::int64_t qty = 0;
  absl::Duration hold;
  std::int64_t item_version = 0;
  // The hold of another cart that is given back in the same breath; empty for none.
  std::string replaces = {};
};

struct CommitCommand {
  std::string reservation_id;
};

struct UncommitCommand {
  std::string reservation_id;
};

struct ShipCommand {
  std::string reservation_id;
  std::string shipment_id;
  std::vector<Line> lines;
};

struct ReleaseCommand {
  std::string reservation_id;
  // When not empty, only a reservation of this user is found, and only a held one given back.
  std::string user_id;
};

// Gives back what is held longer than it may be, and nothing else.
struct ExpireCommand {
  std::string reservation_id;
  // One of its SKUs.
  SkuCode sku;
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
  Force force = Force::kNo;
};

struct PolicyCommand {
  std::string user_id;
  SkuCode sku;
  LocationCode location;
  Policy policy;
};

using Command = std::variant<ReserveCommand, HoldCommand, CommitCommand, UncommitCommand, ShipCommand,
                             ReleaseCommand, ExpireCommand, AdjustCommand, PolicyCommand>;

// Of what concerns a reservation: the reservation; of an adjustment or a policy: the shelf after it.
struct Outcome {
  Reservation reservation;
  Shelf shelf;
};

}  // namespace bv::inventory
