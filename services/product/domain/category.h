// The tree of categories, and how it may change; pure.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bv::product {

inline constexpr std::size_t kCategoryCodeMax = 64;
inline constexpr std::size_t kCategoryNameMax = 100;
inline constexpr int kCategoryPositionMax = 1'000'000;
// Of one tenant.
inline constexpr std::size_t kCategoriesMax = 1'000;
inline constexpr int kCategoryLevelsMax = 8;

struct Category {
  // kCategoryCodeMax of a-z 0-9 - at most; never changes.
  std::string code;
  std::string name;
  // Empty at the top.
  std::string parent;
  // Among those of its parent, the lowest first.
  int position = 0;
  std::int64_t version = 1;
  absl::Time updated_at;
};

// What is given changes, the rest stays.
struct CategoryChange {
  std::optional<std::string> name;
  std::optional<std::string> parent;
  std::optional<int> position;
  // The version that the caller has seen.
  std::optional<std::int64_t> expected_version;
};

// INVALID_ARGUMENT names `field`.
absl::Status CheckCategoryCode(std::string_view code, std::string_view field);

// NOT_FOUND, reason CATEGORY_NOT_FOUND.
absl::Status CategoryNotFound();

// Whether `category` may join the tree. INVALID_ARGUMENT names the field; ALREADY_EXISTS, reason
// CATEGORY_TAKEN; FAILED_PRECONDITION, reason TOO_MANY_CATEGORIES.
absl::Status CheckNewCategory(const Category& category, const std::vector<Category>& tree);

// The category of this code after `change`; version and time are those of before. NOT_FOUND, reason
// CATEGORY_NOT_FOUND; ABORTED, reason VERSION_CONFLICT, unless it is at the expected version;
// INVALID_ARGUMENT names the field: a name, a parent that there is not or that is below it, more levels than
// there may be.
absl::StatusOr<Category> ReviseCategory(std::string_view code, const CategoryChange& change,
                                        const std::vector<Category>& tree);

// FAILED_PRECONDITION, reason CATEGORY_IN_USE, while something is below it.
absl::Status CheckNothingBelow(std::string_view code, const std::vector<Category>& tree);
absl::Status CategoryInUse(std::string_view by);

// Each before those below it, those of one parent by position and then by code.
std::vector<Category> InTreeOrder(const std::vector<Category>& tree);

}  // namespace bv::product
