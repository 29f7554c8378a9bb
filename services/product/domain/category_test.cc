#include "services/product/domain/category.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::product {
namespace {

Category CategoryOf(const std::string& code, const std::string& parent = "", int position = 0) {
  return {.code = code, .name = "Name", .parent = parent, .position = position, .version = 3};
}

// outdoor > tents > domes, and cooking beside outdoor.
std::vector<Category> Tree() {
  return {CategoryOf("domes", "tents"), CategoryOf("tents", "outdoor", 2), CategoryOf("outdoor", "", 1),
          CategoryOf("cooking"),        CategoryOf("bags", "outdoor", 1),  CategoryOf("axes", "outdoor", 2)};
}

// level-1 > level-2 > … of this many levels.
std::vector<Category> Line(int levels) {
  std::vector<Category> line = {CategoryOf("level-1")};
  for (int i = 2; i <= levels; ++i) line.push_back(CategoryOf(Concat("level-", i), Concat("level-", i - 1)));
  return line;
}

void ExpectInvalid(const absl::Status& status, const std::string& field) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(GetErrorDetail(status).field, field);
}

TEST(Category, ANewOneHasAPlace) {
  EXPECT_TRUE(CheckNewCategory(CategoryOf("stoves", "cooking"), Tree()).ok());
  EXPECT_TRUE(CheckNewCategory(CategoryOf("first"), {}).ok());
  Category wrong = CategoryOf("Stoves");
  ExpectInvalid(CheckNewCategory(wrong, Tree()), "code");
  wrong = CategoryOf("stoves", "nowhere");
  ExpectInvalid(CheckNewCategory(wrong, Tree()), "parent");
  wrong = CategoryOf("stoves", "stoves");
  ExpectInvalid(CheckNewCategory(wrong, Tree()), "parent");
  wrong = CategoryOf("stoves", "", kCategoryPositionMax + 1);
  ExpectInvalid(CheckNewCategory(wrong, Tree()), "position");
  wrong = CategoryOf("stoves");
  wrong.name = "";
  ExpectInvalid(CheckNewCategory(wrong, Tree()), "name");
  EXPECT_EQ(ErrorReason(CheckNewCategory(CategoryOf("tents"), Tree())), "CATEGORY_TAKEN");
}

TEST(Category, TheTreeHasLimits) {
  EXPECT_TRUE(CheckNewCategory(CategoryOf("new", "level-7"), Line(7)).ok());
  ExpectInvalid(CheckNewCategory(CategoryOf("new", "level-8"), Line(8)), "parent");
  std::vector<Category> many;
  for (std::size_t i = 0; i < kCategoriesMax; ++i) many.push_back(CategoryOf(Concat("c", i)));
  EXPECT_EQ(ErrorReason(CheckNewCategory(CategoryOf("new"), many)), "TOO_MANY_CATEGORIES");
}

TEST(Category, WhatIsGivenChanges) {
  absl::StatusOr<Category> after = ReviseCategory("tents", {.name = "Shelter"}, Tree());
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->name, "Shelter");
  EXPECT_EQ(after->parent, "outdoor");
  EXPECT_EQ(after->version, 3);
  EXPECT_EQ(ReviseCategory("tents", {.parent = ""}, Tree())->parent, "");
  EXPECT_EQ(ReviseCategory("tents", {.position = 9}, Tree())->position, 9);
  EXPECT_EQ(ErrorReason(ReviseCategory("nope", {}, Tree()).status()), "CATEGORY_NOT_FOUND");
  EXPECT_EQ(ErrorReason(ReviseCategory("tents", {.expected_version = 2}, Tree()).status()),
            "VERSION_CONFLICT");
  EXPECT_TRUE(ReviseCategory("tents", {.expected_version = 3}, Tree()).ok());
}

TEST(Category, NothingComesBelowItself) {
  ExpectInvalid(ReviseCategory("outdoor", {.parent = "domes"}, Tree()).status(), "parent");
  ExpectInvalid(ReviseCategory("outdoor", {.parent = "outdoor"}, Tree()).status(), "parent");
  EXPECT_TRUE(ReviseCategory("tents", {.parent = "cooking"}, Tree()).ok());
}

TEST(Category, WhatIsBelowCountsWhenItMoves) {
  std::vector<Category> tree = Line(6);
  tree.push_back(CategoryOf("tall"));
  tree.push_back(CategoryOf("taller", "tall"));
  EXPECT_TRUE(ReviseCategory("tall", {.parent = "level-6"}, tree).ok());
  tree.push_back(CategoryOf("tallest", "taller"));
  ExpectInvalid(ReviseCategory("tall", {.parent = "level-6"}, tree).status(), "parent");
}

TEST(Category, StaysWhileSomethingIsBelow) {
  EXPECT_TRUE(CheckNothingBelow("domes", Tree()).ok());
  const absl::Status status = CheckNothingBelow("tents", Tree());
  EXPECT_EQ(ErrorReason(status), "CATEGORY_IN_USE");
  EXPECT_NE(status.message().find("domes"), absl::string_view::npos) << status;
  EXPECT_EQ(ErrorReason(CheckNothingBelow("nope", Tree())), "CATEGORY_NOT_FOUND");
}

TEST(Category, TreeOrder) {
  std::vector<std::string> codes;
  for (const Category& each : InTreeOrder(Tree())) codes.push_back(each.code);
  EXPECT_EQ(codes, (std::vector<std::string>{"cooking", "outdoor", "bags", "axes", "tents", "domes"}));
}

}  // namespace
}  // namespace bv::product
