// The transactions that change the tree of categories. They throw what libpqxx throws, and are rolled back by
// an error.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "libs/base/values.h"
#include "libs/postgres/postgres.h"
#include "services/product/domain/category.h"

namespace bv::product {

// What CheckNewCategory refuses.
absl::StatusOr<Category> CreateCategory(postgres::Session& session, const TenantId& tenant,
                                        Category category);
// What ReviseCategory refuses. A change that changes nothing writes nothing.
absl::StatusOr<Category> ChangeCategory(postgres::Session& session, const TenantId& tenant,
                                        const std::string& code, const CategoryChange& change);
// NOT_FOUND, reason CATEGORY_NOT_FOUND; FAILED_PRECONDITION, reason CATEGORY_IN_USE.
absl::StatusOr<Category> RemoveCategory(postgres::Session& session, const TenantId& tenant,
                                        const std::string& code);

}  // namespace bv::product
