#include "services/product/store/change_category.h"

#include <algorithm>

#include "libs/base/macros.h"
#include "services/product/store/category_rows.h"

namespace bv::product {
namespace {

// As it is while this transaction holds it: its depth and that it has no circle are matters of the whole.
std::vector<Category> HeldTree(postgres::Session& session, const TenantId& tenant) {
  LockCategories(session, tenant);
  return ReadCategories(session, tenant);
}

bool IsSame(const Category& a, const Category& b) {
  return a.name == b.name && a.parent == b.parent && a.position == b.position;
}

}  // namespace

absl::StatusOr<Category> CreateCategory(postgres::Session& session, const TenantId& tenant,
                                        Category category) {
  RETURN_IF_ERROR(CheckNewCategory(category, HeldTree(session, tenant)));
  InsertCategory(session, tenant, category);
  return category;
}

absl::StatusOr<Category> ChangeCategory(postgres::Session& session, const TenantId& tenant,
                                        const std::string& code, const CategoryChange& change) {
  const std::vector<Category> tree = HeldTree(session, tenant);
  ASSIGN_OR_RETURN(Category category, ReviseCategory(code, change, tree));
  if (!IsSame(category, *std::ranges::find(tree, code, &Category::code)))
    UpdateCategory(session, tenant, category);
  return category;
}

absl::StatusOr<Category> RemoveCategory(postgres::Session& session, const TenantId& tenant,
                                        const std::string& code) {
  const std::vector<Category> tree = HeldTree(session, tenant);
  RETURN_IF_ERROR(CheckNothingBelow(code, tree));
  if (!DeleteCategory(session, tenant, code)) return CategoryInUse("there are products in it");
  return *std::ranges::find(tree, code, &Category::code);
}

}  // namespace bv::product
