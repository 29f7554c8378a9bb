#include "services/product/domain/category.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/base/values.h"

namespace bv::product {
namespace {

const Category* Find(std::string_view code, const std::vector<Category>& tree) {
  const auto found = std::ranges::find(tree, code, &Category::code);
  return found == tree.end() ? nullptr : &*found;
}

// How many levels there are from `code` down, itself included.
int LevelsFrom(std::string_view code, const std::vector<Category>& tree) {
  int below = 0;
  for (const Category& each : tree) {
    if (each.parent == code) below = std::max(below, LevelsFrom(each.code, tree));
  }
  return 1 + below;
}

// Whether `category` may stand under its parent, with all that is below it.
absl::Status CheckPlace(const Category& category, const std::vector<Category>& tree) {
  int levels = LevelsFrom(category.code, tree);
  for (std::string above = category.parent; !above.empty();) {
    if (above == category.code) return InvalidValue("parent", "must not be below the category itself");
    const Category* parent = Find(above, tree);
    if (parent == nullptr) return InvalidValue("parent", "there is no such category");
    above = parent->parent;
    ++levels;
  }
  if (levels > kCategoryLevelsMax)
    return InvalidValue("parent", Concat("the tree has at most ", kCategoryLevelsMax, " levels"));
  return absl::OkStatus();
}

absl::Status CheckTexts(const Category& category) {
  RETURN_IF_ERROR(CheckText(category.name, 1, kCategoryNameMax, "name"));
  if (!category.parent.empty()) RETURN_IF_ERROR(CheckCategoryCode(category.parent, "parent"));
  if (category.position < 0 || category.position > kCategoryPositionMax)
    return InvalidValue("position", Concat("must be 0 to ", kCategoryPositionMax));
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCategoryCode(std::string_view code, std::string_view field) {
  const auto allowed = [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
  };
  if (code.empty() || code.size() > kCategoryCodeMax || !std::ranges::all_of(code, allowed))
    return InvalidValue(field, Concat("must be 1 to ", kCategoryCodeMax, " characters of a-z 0-9 -"));
  return absl::OkStatus();
}

absl::Status CategoryNotFound() {
  return NotFound("CATEGORY_NOT_FOUND", "there is no such category");
}

absl::Status CheckNewCategory(const Category& category, const std::vector<Category>& tree) {
  RETURN_IF_ERROR(CheckCategoryCode(category.code, "code"));
  RETURN_IF_ERROR(CheckTexts(category));
  if (Find(category.code, tree) != nullptr) {
    return Error(absl::StatusCode::kAlreadyExists, "CATEGORY_TAKEN",
                 Concat("there is a category ", category.code), "code");
  }
  if (tree.size() >= kCategoriesMax) {
    return Error(absl::StatusCode::kFailedPrecondition, "TOO_MANY_CATEGORIES",
                 Concat("there are ", kCategoriesMax, " categories, which is the most"));
  }
  return CheckPlace(category, tree);
}

absl::StatusOr<Category> ReviseCategory(std::string_view code, const CategoryChange& change,
                                        const std::vector<Category>& tree) {
  const Category* before = Find(code, tree);
  if (before == nullptr) return CategoryNotFound();
  if (change.expected_version && *change.expected_version != before->version) {
    return Error(
        absl::StatusCode::kAborted, "VERSION_CONFLICT",
        Concat("the category is at version ", before->version, "; read it again and repeat the change"),
        "expectedVersion");
  }
  Category after = *before;
  after.name = change.name.value_or(after.name);
  after.parent = change.parent.value_or(after.parent);
  after.position = change.position.value_or(after.position);
  RETURN_IF_ERROR(CheckTexts(after));
  RETURN_IF_ERROR(CheckPlace(after, tree));
  return after;
}

absl::Status CheckNothingBelow(std::string_view code, const std::vector<Category>& tree) {
  if (Find(code, tree) == nullptr) return CategoryNotFound();
  const auto below = std::ranges::find(tree, code, &Category::parent);
  return below == tree.end() ? absl::OkStatus()
                             : CategoryInUse(Concat("the category ", below->code, " is below it"));
}

absl::Status CategoryInUse(std::string_view by) {
  return Error(absl::StatusCode::kFailedPrecondition, "CATEGORY_IN_USE", by);
}

std::vector<Category> InTreeOrder(const std::vector<Category>& tree) {
  std::map<std::string_view, std::vector<const Category*>> below;
  for (const Category& each : tree) below[each.parent].push_back(&each);
  const auto comes_later = [](const Category* a, const Category* b) {
    return std::tie(a->position, a->code) > std::tie(b->position, b->code);
  };
  std::vector<Category> ordered;
  ordered.reserve(tree.size());
  // The next one is the last.
  std::vector<const Category*> waiting;
  const auto add_those_below = [&](std::string_view parent) {
    std::vector<const Category*>& siblings = below[parent];
    std::ranges::sort(siblings, comes_later);
    waiting.insert(waiting.end(), siblings.begin(), siblings.end());
  };
  add_those_below("");
  while (!waiting.empty()) {
    const Category* next = waiting.back();
    waiting.pop_back();
    ordered.push_back(*next);
    add_those_below(next->code);
  }
  return ordered;
}

}  // namespace bv::product
