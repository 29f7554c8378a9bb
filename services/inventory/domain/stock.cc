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
  place.changed = true;
}

}  // namespace

std::int64_t Shelf::available() const {
  std::int64_t sum = 0;
  for (const Place& place : places) sum += place.available();
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

absl::StatusOr<std::vector<Allocation>> Reserve(Shelves& shelves, const std::vector<Line>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto shelf = shelves.find(lines[i].sku);
    const std::int64_t available = shelf == shelves.end() ? 0 : shelf->second.available();
    if (available < lines[i].qty) {
      return Error(absl::StatusCode::kFailedPrecondition, "OUT_OF_STOCK",
                   Concat("of ", lines[i].sku.str(), " ", lines[i].qty, " are wanted and ", available,
                          " are available"),
                   Concat("lines[", i, "].qty"));
    }
  }
  std::vector<Allocation> allocations;
  for (const Line& line : lines) {
    std::int64_t wanted = line.qty;
    for (Place& place : shelves.at(line.sku).places) {
      const std::int64_t taken = std::min(wanted, place.available());
      if (taken <= 0) continue;
      place.reserved += taken;
      MarkChanged(place);
      wanted -= taken;
      allocations.push_back({line.sku, place.location, taken});
    }
  }
  return allocations;
}

void Release(Shelves& shelves, const std::vector<Allocation>& allocations) {
  for (const Allocation& allocation : allocations) {
    Place* place = FindPlace(shelves, allocation.sku, allocation.location);
    place->reserved -= allocation.qty;
    MarkChanged(*place);
  }
}

absl::Status Adjust(Shelves& shelves, const SkuCode& sku, const LocationCode& location, std::int64_t delta) {
  Place* place = FindPlace(shelves, sku, location);
  const std::int64_t available = place == nullptr ? 0 : place->available();
  if (place == nullptr || available + delta < 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "STOCK_NEGATIVE",
                 Concat("of ", sku.str(), " ", available, " are available at ", location.str(),
                        "; the change of ", delta, " is more"),
                 "delta");
  }
  if (place->on_hand + delta > kOnHandMax)
    return InvalidValue("delta", Concat("on hand must stay at or below ", kOnHandMax));
  place->on_hand += delta;
  MarkChanged(*place);
  return absl::OkStatus();
}

}  // namespace bv::inventory
