#include "services/inventory/domain/stock.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::inventory {
namespace {

SkuCode Sku(const char* text) {
  return SkuCode::Trusted(text);
}
LocationCode At(const char* text) {
  return LocationCode::Trusted(text);
}

Shelves TwoPlaces() {
  Shelves shelves;
  shelves[Sku("TENT")].places = {{.location = At("A"), .on_hand = 5, .buffer = 1},
                                 {.location = At("B"), .on_hand = 3}};
  shelves[Sku("MUG")].places = {{.location = At("A"), .on_hand = 10, .reserved = 9}};
  return shelves;
}

TEST(Reserve, TakesFromThePlacesInTheirOrder) {
  Shelves shelves = TwoPlaces();
  const auto allocations = Reserve(shelves, {{Sku("TENT"), 6}}, Split::kAllowed);
  ASSERT_TRUE(allocations.ok());
  ASSERT_EQ(allocations->size(), 2u);
  EXPECT_EQ((*allocations)[0].location, At("A"));
  EXPECT_EQ((*allocations)[0].qty, 4) << "the buffer stays";
  EXPECT_EQ((*allocations)[1].qty, 2);
  EXPECT_EQ(shelves[Sku("TENT")].available(), 1);
}

TEST(Reserve, TakesAllLinesOrNone) {
  Shelves shelves = TwoPlaces();
  const auto allocations = Reserve(shelves, {{Sku("TENT"), 1}, {Sku("MUG"), 2}}, Split::kAllowed);
  EXPECT_EQ(allocations.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(allocations.status()), "OUT_OF_STOCK");
  EXPECT_EQ(GetErrorDetail(allocations.status()).field, "lines[1].qty");
  EXPECT_EQ(shelves[Sku("TENT")].available(), 7);
  EXPECT_FALSE(shelves[Sku("TENT")].places[0].changed);
}

TEST(Reserve, AnUnknownSkuIsOutOfStock) {
  Shelves shelves;
  EXPECT_EQ(ErrorReason(Reserve(shelves, {{Sku("NONE"), 1}}, Split::kAllowed).status()), "OUT_OF_STOCK");
  EXPECT_TRUE(shelves.empty());
}

TEST(Release, UndoesReserve) {
  Shelves shelves = TwoPlaces();
  const auto allocations = Reserve(shelves, {{Sku("TENT"), 7}}, Split::kAllowed);
  ASSERT_TRUE(allocations.ok());
  Release(shelves, *allocations);
  EXPECT_EQ(shelves[Sku("TENT")].available(), 7);
  EXPECT_EQ(shelves[Sku("TENT")].places[0].reserved, 0);
}

TEST(Adjust, NeverTakesWhatIsReservedOrBuffered) {
  Shelves shelves = TwoPlaces();
  EXPECT_EQ(ErrorReason(Adjust(shelves, Sku("TENT"), At("A"), -5, Force::kNo).status()), "STOCK_NEGATIVE");
  EXPECT_TRUE(Adjust(shelves, Sku("TENT"), At("A"), -4, Force::kNo).ok());
  EXPECT_EQ(ErrorReason(Adjust(shelves, Sku("MUG"), At("A"), -2, Force::kNo).status()), "STOCK_NEGATIVE");
  EXPECT_EQ(ErrorReason(Adjust(shelves, Sku("MUG"), At("Z"), -1, Force::kNo).status()), "STOCK_NEGATIVE");
  EXPECT_EQ(ErrorReason(Adjust(shelves, Sku("MUG"), At("A"), kOnHandMax, Force::kNo).status()),
            "INVALID_VALUE");
}

TEST(CheckLines, NamesTheLine) {
  EXPECT_EQ(GetErrorDetail(CheckLines({})).field, "lines");
  EXPECT_EQ(GetErrorDetail(CheckLines({{Sku("A"), 1}, {Sku("B"), 0}})).field, "lines[1].qty");
  EXPECT_EQ(GetErrorDetail(CheckLines({{Sku("A"), kQuantityMax + 1}})).field, "lines[0].qty");
  EXPECT_EQ(GetErrorDetail(CheckLines({{Sku("A"), 1}, {Sku("A"), 1}})).field, "lines[1].sku");
  EXPECT_TRUE(CheckLines({{Sku("A"), kQuantityMax}}).ok());
}

TEST(LinesOf, AddsUpThePlacesOfASku) {
  const std::vector<Line> lines =
      LinesOf({{Sku("B"), At("A"), 1}, {Sku("A"), At("A"), 2}, {Sku("B"), At("B"), 3}});
  EXPECT_EQ(lines, (std::vector<Line>{{Sku("A"), 2}, {Sku("B"), 4}}));
}

}  // namespace
}  // namespace bv::inventory
