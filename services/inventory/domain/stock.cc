#include "services/inventory/domain/stock.h"

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::inventory {
namespace {

constexpr std::size_t kLinesMax = 200;

Place* FindPlace(Shelves& shelves, const SkuCode& sku, const LocationCode& location) {
  const auto shelf = shelves.find(sku);
  if (shelf == shelves.end()) return nullptr;
  const auto place = std::ranges::find(shelf->second.places, location, &Place::location);
  return place == shelf->second.places.end() ? nullptr : &*place;
}

// However often a transaction changes a place, its version grows by one.
void MarkChanged(Place& place) {
  if (!place.changed) ++place.version;
  place.changed = place.dirty = true;
}

// The places of a shelf in the order in which they are emptied.
std::vector<Place*> InOrder(Shelf& shelf) {
  std::vector<Place*> places;
  for (Place& place : shelf.places) places.push_back(&place);
  std::ranges::stable_sort(places, {}, &Place::priority);
  return places;
}

// What a line can get at most.
std::int64_t MostFor(const Shelf& shelf, Split split) {
  if (split == Split::kAllowed) return shelf.available();
  std::int64_t most = 0;
  for (const Place& place : shelf.places) most = std::max(most, place.available());
  return std::min(most, shelf.available());
}

absl::Status StockNegative(std::string_view message, std::string_view field) {
  return Error(absl::StatusCode::kFailedPrecondition, "STOCK_NEGATIVE", message, field);
}

}  // namespace

std::int64_t Shelf::available() const {
  std::int64_t sum = 0;
  for (const Place& place : places) sum += place.available();
  return sum;
}

std::int64_t Shelf::version() const {
  std::int64_t sum = 0;
  for (const Place& place : places) sum += place.version;
  return sum;
}

std::vector<Line> LinesOf(const std::vector<Allocation>& allocations) {
  std::map<SkuCode, std::int64_t> sums;
  for (const Allocation& allocation : allocations) sums[allocation.sku] += allocation.qty;
  std::vector<Line> lines;
  for (const auto& [sku, qty] : sums) lines.push_back({sku, qty});
  return lines;
}

absl::Status CheckLines(const std::vector<Line>& lines) {
  if (lines.empty() || lines.size() > kLinesMax)
    return InvalidValue("lines", Concat("must be 1 to ", kLinesMax, " lines"));
  std::set<SkuCode> seen;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].qty < 1 || lines[i].qty > kQuantityMax) {
      return InvalidValue(Concat("lines[", i, "].qty"), Concat("must be 1 to ", kQuantityMax));
    }
    if (!seen.insert(lines[i].sku).second) {
      return InvalidValue(Concat("lines[", i, "].sku"),
                          Concat("the SKU ", lines[i].sku.str(), " comes twice; add up its quantities"));
    }
  }
  return absl::OkStatus();
}

absl::Status OutOfStock(const Line& line, std::size_t index, std::int64_t available) {
  return Error(absl::StatusCode::kFailedPrecondition, "OUT_OF_STOCK",
               Concat("of ", line.sku.str(), " ", line.qty, " are wanted and ",
                      std::max<std::int64_t>(available, 0), " are available"),
               Concat("lines[", index, "].qty"));
}

absl::StatusOr<std::vector<Allocation>> Reserve(Shelves& shelves, const std::vector<Line>& lines,
                                                Split split) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto shelf = shelves.find(lines[i].sku);
    const std::int64_t most = shelf == shelves.end() ? 0 : MostFor(shelf->second, split);
    if (most < lines[i].qty) return OutOfStock(lines[i], i, most);
  }
  std::vector<Allocation> allocations;
  for (const Line& line : lines) {
    std::int64_t wanted = line.qty;
    for (Place* place : InOrder(shelves.at(line.sku))) {
      if (split == Split::kNever && place->available() < wanted) continue;
      const std::int64_t taken = std::min(wanted, place->available());
      if (taken <= 0) continue;
      place->reserved += taken;
      MarkChanged(*place);
      wanted -= taken;
      allocations.push_back({.sku = line.sku, .location = place->location, .qty = taken});
    }
  }
  return allocations;
}

void Release(Shelves& shelves, const std::vector<Allocation>& allocations) {
  for (const Allocation& allocation : allocations) {
    Place* place = FindPlace(shelves, allocation.sku, allocation.location);
    place->reserved -= allocation.qty - allocation.shipped;
    MarkChanged(*place);
  }
}

void TakeOut(Shelves& shelves, const std::vector<Allocation>& allocations) {
  for (const Allocation& allocation : allocations) {
    Place* place = FindPlace(shelves, allocation.sku, allocation.location);
    place->on_hand -= allocation.qty;
    place->reserved -= allocation.qty;
    MarkChanged(*place);
  }
}

absl::StatusOr<bool> Adjust(Shelves& shelves, const SkuCode& sku, const LocationCode& location,
                            std::int64_t delta, Force force) {
  Place* place = FindPlace(shelves, sku, location);
  const std::int64_t on_hand = place == nullptr ? 0 : place->on_hand;
  if (place == nullptr || on_hand + delta < 0) {
    return StockNegative(Concat("of ", sku.str(), " ", on_hand, " are on hand at ", location.str(),
                                "; the change of ", delta, " is more"),
                         "delta");
  }
  // What comes in is welcome, even if it does not yet make up for what is missing.
  const bool too_few = delta < 0 && place->available() + delta < 0;
  if (too_few && force == Force::kNo) {
    return StockNegative(Concat("of ", sku.str(), " ", place->available(), " are available at ",
                                location.str(), "; the change of ", delta, " is more"),
                         "delta");
  }
  if (place->on_hand + delta > kOnHandMax)
    return InvalidValue("delta", Concat("on hand must stay at or below ", kOnHandMax));
  place->on_hand += delta;
  MarkChanged(*place);
  return too_few;
}

absl::StatusOr<std::int64_t> SetPolicy(Shelves& shelves, const SkuCode& sku, const LocationCode& location,
                                       const Policy& policy) {
  Place* place = FindPlace(shelves, sku, location);
  if (place == nullptr)
    return NotFound("SKU_NOT_FOUND", Concat("there is no stock of ", sku.str(), " at ", location.str()));
  const std::int64_t growth = policy.buffer.value_or(place->buffer) - place->buffer;
  if (growth > 0 && growth > place->available()) {
    return StockNegative(Concat("of ", sku.str(), " ", place->available(), " are available at ",
                                location.str(), "; the buffer would take ", growth),
                         "buffer");
  }
  if (growth != 0) {
    place->buffer += growth;
    MarkChanged(*place);
  }
  place->priority = policy.priority.value_or(place->priority);
  place->dirty = true;
  if (policy.is_hot) {
    Shelf& shelf = shelves.at(sku);
    shelf.is_hot = *policy.is_hot;
    for (Place& each : shelf.places) each.dirty = true;
  }
  return growth;
}

}  // namespace bv::inventory
