// The rules of stock, pure: what a shelf holds, and what may be taken from it.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/values.h"

namespace bv::inventory {

inline constexpr std::int64_t kQuantityMax = 1'000'000;
inline constexpr std::int64_t kOnHandMax = 1'000'000'000;
inline constexpr int kPriorityMax = 1'000;
inline constexpr int kPriorityDefault = 100;
// Of adjustments that name none.
inline constexpr char kDefaultLocation[] = "MAIN";

// The stock of one SKU at one location.
struct Place {
  LocationCode location;
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::int64_t buffer = 0;
  // Smaller ones are emptied first.
  int priority = kPriorityDefault;
  // Grows by one with every transaction that changed a quantity.
  std::int64_t version = 0;
  // A quantity was changed.
  bool changed = false;
  // Has to be written.
  bool dirty = false;

  std::int64_t available() const { return on_hand - reserved - buffer; }
};

// The stock of one SKU: its places in the order in which they are emptied.
struct Shelf {
  ProductId product;
  std::vector<Place> places;
  // Marked as in great demand.
  bool is_hot = false;

  // Negative after a forced adjustment.
  std::int64_t available() const;
  // The sum of the places' versions: every change makes one of them grow.
  std::int64_t version() const;
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
  // How much of it has left the house.
  std::int64_t shipped = 0;
};

// Whether one line may come from several locations.
enum class Split { kAllowed, kNever };
// Whether an adjustment is carried out though less is left than is promised.
enum class Force { kNo, kYes };

// How a SKU is sold from a place; what is not given stays.
struct Policy {
  std::optional<std::int64_t> buffer;
  std::optional<int> priority;
  // Of the SKU, at all places.
  std::optional<bool> is_hot;
};

// The lines that the allocations add up to, sorted by SKU; so that a repeated request can be compared with
// what the first one took.
std::vector<Line> LinesOf(const std::vector<Allocation>& allocations);

// INVALID_ARGUMENT for none or more than 200 lines, a quantity outside 1 to kQuantityMax, or a SKU that comes
// twice.
absl::Status CheckLines(const std::vector<Line>& lines);

// The refusal of one line.
absl::Status OutOfStock(const Line& line, std::size_t index, std::int64_t available);

// Takes every line from `shelves`, or none of them, from the places in their order of priority.
// FAILED_PRECONDITION, reason OUT_OF_STOCK, names the first line that does not fit.
absl::StatusOr<std::vector<Allocation>> Reserve(Shelves& shelves, const std::vector<Line>& lines,
                                                Split split);

// Gives back what Reserve took and what is not shipped of it. The places must be there.
void Release(Shelves& shelves, const std::vector<Allocation>& allocations);

// Takes what was reserved out of the house. The places must be there.
void TakeOut(Shelves& shelves, const std::vector<Allocation>& allocations);

// Changes what is on hand. FAILED_PRECONDITION, reason STOCK_NEGATIVE, when available would become negative
// and the change is not forced, or on hand would, also for a place that is not there; INVALID_ARGUMENT when
// on hand would exceed kOnHandMax. Returns whether force was needed.
absl::StatusOr<bool> Adjust(Shelves& shelves, const SkuCode& sku, const LocationCode& location,
                            std::int64_t delta, Force force);

// NOT_FOUND, reason SKU_NOT_FOUND, for a place that is not there; FAILED_PRECONDITION, reason STOCK_NEGATIVE,
// for a larger buffer than is available. Returns by how much the buffer grew.
absl::StatusOr<std::int64_t> SetPolicy(Shelves& shelves, const SkuCode& sku, const LocationCode& location,
                                       const Policy& policy);

}  // namespace bv::inventory
