// The rules of stock, pure: what a shelf holds, and what may be taken from it.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/values.h"

namespace bv::inventory {

inline constexpr std::int64_t kQuantityMax = 1'000'000;
inline constexpr std::int64_t kOnHandMax = 1'000'000'000;

// The stock of one SKU at one location.
struct Place {
  LocationCode location;
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::int64_t buffer = 0;
  // Grows by one with every transaction that changed it.
  std::int64_t version = 0;
  bool changed = false;

  std::int64_t available() const { return on_hand - reserved - buffer; }
};

// The stock of one SKU: its places in the order in which they are emptied.
struct Shelf {
  ProductId product;
  std::vector<Place> places;

  std::int64_t available() const;
};

// The shelves of one tenant.
using Shelves = std::map<SkuCode, Shelf>;

struct Line {
  SkuCode sku;
  std::int64_t qty = 0;

  friend bool operator==(const Line&, const Line&) = default;
};

// What a reservation took, or gives back.
struct Allocation {
  SkuCode sku;
  LocationCode location;
  std::int64_t qty = 0;
};

// The lines that the allocations add up to, sorted by SKU; so that a repeated request can be compared with
// what the first one took.
std::vector<Line> LinesOf(const std::vector<Allocation>& allocations);

// INVALID_ARGUMENT for none or more than 200 lines, a quantity outside 1 to kQuantityMax, or a SKU that comes
// twice.
absl::Status CheckLines(const std::vector<Line>& lines);

// Takes every line from `shelves`, or none of them. A line that does not fit into one place is split over
// several. FAILED_PRECONDITION, reason OUT_OF_STOCK, names the first line that does not fit.
absl::StatusOr<std::vector<Allocation>> Reserve(Shelves& shelves, const std::vector<Line>& lines);

// Gives back what Reserve took. The places must be there.
void Release(Shelves& shelves, const std::vector<Allocation>& allocations);

// Changes what is on hand. FAILED_PRECONDITION, reason STOCK_NEGATIVE, when available would become negative,
// also for a place that is not there; INVALID_ARGUMENT when on hand would exceed kOnHandMax.
absl::Status Adjust(Shelves& shelves, const SkuCode& sku, const LocationCode& location, std::int64_t delta);

}  // namespace bv::inventory
