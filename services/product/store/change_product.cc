#include "services/product/store/change_product.h"

#include <algorithm>
#include <numeric>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/product/store/announce.h"
#include "services/product/store/category_rows.h"
#include "services/product/store/product_rows.h"
#include "services/product/store/record.h"

namespace bv::product {
namespace {

// The first of `wanted` whose SKU another variant has.
std::optional<std::size_t> FirstTaken(const std::vector<std::size_t>& wanted,
                                      const std::vector<std::size_t>& inserted) {
  for (const std::size_t index : wanted) {
    if (std::ranges::find(inserted, index) == inserted.end()) return index;
  }
  return std::nullopt;
}

// INVALID_ARGUMENT names the first of the codes that no category has; `field` is the list's. Those that there
// are stay there until the transaction ends.
absl::Status CheckCategories(postgres::Session& session, const TenantId& tenant,
                             const std::vector<std::string>& codes, const std::vector<std::string>& asked,
                             std::string_view field) {
  if (codes.empty()) return absl::OkStatus();
  const std::vector<std::string> known = HoldCategories(session, tenant, codes);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const bool is_meant = std::ranges::find(codes, asked[i]) != codes.end();
    if (is_meant && std::ranges::find(known, asked[i]) == known.end())
      return InvalidValue(Concat(field, "[", i, "]"), Concat("there is no category ", asked[i]));
  }
  return absl::OkStatus();
}

// Where the change names the SKU.
std::size_t IndexInChange(const ProductChange& change, const SkuCode& sku) {
  return static_cast<std::size_t>(std::ranges::find(change.variants, sku, &VariantChange::sku) -
                                  change.variants.begin());
}

}  // namespace

absl::Status ProductNotFound() {
  return NotFound("PRODUCT_NOT_FOUND", "there is no such product");
}

absl::StatusOr<Product> CreateProduct(postgres::Session& session, const RequestContext& context,
                                      Product product) {
  RETURN_IF_ERROR(
      CheckCategories(session, context.tenant, product.categories, product.categories, "categories"));
  std::ranges::sort(product.categories);
  product.categories.erase(std::ranges::unique(product.categories).begin(), product.categories.end());
  InsertProduct(session, context.tenant, product);
  PutIntoCategories(session, context.tenant, product.id, product.categories);
  std::vector<std::size_t> all(product.variants.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const std::vector<std::size_t> inserted = InsertVariants(session, context.tenant, product, all);
  if (const auto taken = FirstTaken(all, inserted)) return SkuTaken(product.variants[*taken].sku, *taken);
  WritePrices(session, context.tenant, product, all);
  RETURN_IF_ERROR(Announce(session, context, product));
  RETURN_IF_ERROR(RecordProduct(session, context, std::nullopt, product));
  return product;
}

absl::StatusOr<Product> ChangeProduct(postgres::Session& session, const RequestContext& context,
                                      const ProductId& id, const ProductChange& change) {
  if (!LockProduct(session, context.tenant, id)) return ProductNotFound();
  // Read after the lock: by a snapshot that has what the change before this one wrote.
  const std::optional<Product> before = ReadProduct(session, context.tenant, id);
  if (!before) return ProductNotFound();
  ASSIGN_OR_RETURN(Revision revision, Revise(*before, change));
  Product& product = revision.product;
  if (!revision.changed) return product;
  RETURN_IF_ERROR(
      CheckCategories(session, context.tenant, revision.entered, change.add_categories, "addCategories"));

  UpdateProduct(session, context.tenant, product);
  PutIntoCategories(session, context.tenant, id, revision.entered);
  TakeFromCategories(session, context.tenant, id, revision.left);
  const std::vector<std::size_t> inserted = InsertVariants(session, context.tenant, product, revision.added);
  if (const auto taken = FirstTaken(revision.added, inserted)) {
    const SkuCode& sku = product.variants[*taken].sku;
    return SkuTaken(sku, IndexInChange(change, sku));
  }
  UpdateVariants(session, context.tenant, product, revision.altered);
  std::vector<std::size_t> priced = revision.repriced;
  priced.insert(priced.end(), revision.added.begin(), revision.added.end());
  WritePrices(session, context.tenant, product, priced);
  RETURN_IF_ERROR(Announce(session, context, product));
  RETURN_IF_ERROR(RecordProduct(session, context, before, product));
  return product;
}

}  // namespace bv::product
