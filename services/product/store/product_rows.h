// The rows of products. Everything here runs inside a transaction or read of `session`, and throws what
// libpqxx throws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/product/domain/product.h"

namespace bv::product {

// Which products a list shows, newest first.
struct ProductFilter {
  std::optional<ProductStatus> status;
  // Without DRAFT.
  bool shown_only = false;
  // A part of the title, in any case; empty for all.
  std::string title_part;
  // Only the product that has it.
  std::optional<SkuCode> sku;
  // Only products that are older than this one; empty for the first page.
  ProductId before;
  int limit = 0;
};

// The product as one moment shows it, without later changes of some of its rows.
std::optional<Product> ReadProduct(postgres::Session& session, const TenantId& tenant, const ProductId& id);
// Those of them that there are, each once.
std::vector<Product> ReadProducts(postgres::Session& session, const TenantId& tenant,
                                  const std::vector<ProductId>& ids);
std::vector<Product> ListProducts(postgres::Session& session, const TenantId& tenant,
                                  const ProductFilter& filter);

// Holds off other changes of the product until the transaction ends. False when there is no such product.
bool LockProduct(postgres::Session& session, const TenantId& tenant, const ProductId& id);
// The same without waiting: kBusy when another change is under way.
enum class LockOutcome { kLocked, kBusy, kMissing };
LockOutcome TryLockProduct(postgres::Session& session, const TenantId& tenant, const ProductId& id);

// Both set the times of `product`; the update raises its version too. Changes of a product have different
// times, in their order.
void InsertProduct(postgres::Session& session, const TenantId& tenant, Product& product);
void UpdateProduct(postgres::Session& session, const TenantId& tenant, Product& product);

// The three below take indexes of product.variants, and the time of the product's newest version as theirs.

// Inserts variants whose SKU is free and returns the indexes of those that were inserted.
std::vector<std::size_t> InsertVariants(postgres::Session& session, const TenantId& tenant,
                                        const Product& product, const std::vector<std::size_t>& indexes);
void UpdateVariants(postgres::Session& session, const TenantId& tenant, const Product& product,
                    const std::vector<std::size_t>& indexes);
// Closes the current price rows, where there are such, and opens the next.
void WritePrices(postgres::Session& session, const TenantId& tenant, const Product& product,
                 const std::vector<std::size_t>& indexes);

}  // namespace bv::product
