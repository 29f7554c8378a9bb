// The rows of categories, and of the products in them. Everything here runs inside a transaction or read of
// `session`, and throws what libpqxx throws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/values.h"
#include "libs/postgres/postgres.h"
#include "services/product/domain/category.h"

namespace bv::product {

// In no order.
std::vector<Category> ReadCategories(postgres::Session& session, const TenantId& tenant);
std::optional<Category> ReadCategory(postgres::Session& session, const TenantId& tenant,
                                     const std::string& code);
// The category and all that are below it; none when there is no such category.
std::vector<std::string> CodesFrom(postgres::Session& session, const TenantId& tenant,
                                   const std::string& code);

// Holds off other changes of the tenant's tree until the transaction ends.
void LockCategories(postgres::Session& session, const TenantId& tenant);
// Both set the time of `category`; the update raises its version too.
void InsertCategory(postgres::Session& session, const TenantId& tenant, Category& category);
void UpdateCategory(postgres::Session& session, const TenantId& tenant, Category& category);
// False, and nothing is deleted, while there are products in it.
bool DeleteCategory(postgres::Session& session, const TenantId& tenant, const std::string& code);

// Those of the codes that categories have; they are not deleted until the transaction ends.
std::vector<std::string> HoldCategories(postgres::Session& session, const TenantId& tenant,
                                        const std::vector<std::string>& codes);
void PutIntoCategories(postgres::Session& session, const TenantId& tenant, const ProductId& product,
                       const std::vector<std::string>& codes);
void TakeFromCategories(postgres::Session& session, const TenantId& tenant, const ProductId& product,
                        const std::vector<std::string>& codes);

}  // namespace bv::product
