#include "services/product/store/change_pricing.h"

#include <algorithm>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/product/store/announce.h"
#include "services/product/store/change_product.h"
#include "services/product/store/price_rows.h"
#include "services/product/store/product_rows.h"
#include "services/product/store/record.h"

namespace bv::product {
namespace {

absl::Status ProductBusy() {
  return Error(absl::StatusCode::kAborted, "PRODUCT_BUSY",
               "the product is being changed at this moment; nothing was done");
}

absl::Status SkuNotFound() {
  return NotFound("SKU_NOT_FOUND", "there is no variant with this SKU");
}

// The product in its next version, which begins at its updated_at, locked for this transaction.
absl::StatusOr<Product> BeginVersion(postgres::Session& session, const TenantId& tenant,
                                     const ProductId& id) {
  switch (TryLockProduct(session, tenant, id)) {
    case LockOutcome::kBusy:
      return ProductBusy();
    case LockOutcome::kMissing:
      return ProductNotFound();
    case LockOutcome::kLocked:
      break;
  }
  // Read after the lock: by a snapshot that has what the change before this one wrote.
  std::optional<Product> product = ReadProduct(session, tenant, id);
  if (!product) return ProductNotFound();
  UpdateProduct(session, tenant, *product);
  return *std::move(product);
}

absl::StatusOr<Product> BeginVersionOf(postgres::Session& session, const TenantId& tenant,
                                       const SkuCode& sku) {
  const std::optional<ProductId> id = FindProductOf(session, tenant, sku);
  if (!id) return SkuNotFound();
  return BeginVersion(session, tenant, *id);
}

// Completes `wanted`.
absl::Status ScheduleFree(postgres::Session& session, const TenantId& tenant, FlashSale& wanted,
                          const Product& product, absl::Time now) {
  RETURN_IF_ERROR(Schedule(wanted, product, now));
  const std::optional<std::size_t> taken = FindOverlap(session, tenant, wanted);
  if (!taken) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "SALE_OVERLAPS",
               Concat(wanted.offers[*taken].sku.str(), " has another sale at some time of this one"),
               Concat("offers[", *taken, "].sku"));
}

const Variant& VariantWith(const Product& product, const SkuCode& sku) {
  return *std::ranges::find(product.variants, sku, &Variant::sku);
}

}  // namespace

absl::Status FlashSaleNotFound() {
  return NotFound("FLASH_SALE_NOT_FOUND", "there is no such flash sale");
}

absl::StatusOr<PriceOverride> SetOverride(postgres::Session& session, const RequestContext& context,
                                          PriceOverride wanted) {
  ASSIGN_OR_RETURN(const Product product, BeginVersionOf(session, context.tenant, wanted.sku));
  const Variant& variant = VariantWith(product, wanted.sku);
  wanted.product = product.id;
  wanted.variant = variant.id;
  wanted.valid_from = product.updated_at;
  RETURN_IF_ERROR(CheckOverride(wanted, variant));
  const std::optional<PriceOverride> ended =
      EndOverride(session, context.tenant, variant.id, product.updated_at);
  InsertOverride(session, context.tenant, wanted, context.user_id);
  RETURN_IF_ERROR(Announce(session, context, product));
  RETURN_IF_ERROR(RecordOverride(session, context, wanted.sku, ended, wanted));
  CrashPoint("product.pricing.written");
  return wanted;
}

absl::StatusOr<PriceOverride> RemoveOverride(postgres::Session& session, const RequestContext& context,
                                             const SkuCode& sku) {
  ASSIGN_OR_RETURN(const Product product, BeginVersionOf(session, context.tenant, sku));
  std::optional<PriceOverride> ended =
      EndOverride(session, context.tenant, VariantWith(product, sku).id, product.updated_at);
  if (!ended) return NotFound("PRICE_OVERRIDE_NOT_FOUND", "the variant has no price override");
  RETURN_IF_ERROR(RecordOverride(session, context, sku, ended, std::nullopt));
  ended->sku = sku;
  ended->valid_until = product.updated_at;
  RETURN_IF_ERROR(Announce(session, context, product));
  CrashPoint("product.pricing.written");
  return *std::move(ended);
}

absl::Status CheckSale(postgres::Session& session, const TenantId& tenant, FlashSale wanted) {
  const std::optional<Product> product = ReadProduct(session, tenant, wanted.product);
  if (!product) return ProductNotFound();
  return ScheduleFree(session, tenant, wanted, *product, session.transaction_time());
}

absl::StatusOr<SaleSeen> CreateSale(postgres::Session& session, const RequestContext& context,
                                    FlashSale wanted) {
  ASSIGN_OR_RETURN(const Product product, BeginVersion(session, context.tenant, wanted.product));
  RETURN_IF_ERROR(ScheduleFree(session, context.tenant, wanted, product, product.updated_at));
  InsertSale(session, context.tenant, wanted, context.user_id, product.updated_at);
  RETURN_IF_ERROR(Announce(session, context, product));
  const SaleSeen created{std::move(wanted), product.updated_at};
  RETURN_IF_ERROR(RecordSale(session, context, std::nullopt, created));
  CrashPoint("product.pricing.written");
  return created;
}

absl::StatusOr<SaleSeen> CancelSale(postgres::Session& session, const RequestContext& context,
                                    const FlashSaleId& id) {
  std::optional<SaleSeen> found = ReadSale(session, context.tenant, id);
  if (!found) return FlashSaleNotFound();
  ASSIGN_OR_RETURN(const Product product, BeginVersion(session, context.tenant, found->sale.product));
  found = ReadSale(session, context.tenant, id);
  if (!found) return FlashSaleNotFound();
  const SaleSeen before = *found;
  RETURN_IF_ERROR(Cancel(found->sale, product.updated_at));
  StoreCanceled(session, context.tenant, found->sale);
  RETURN_IF_ERROR(Announce(session, context, product));
  const SaleSeen canceled{std::move(found->sale), product.updated_at};
  RETURN_IF_ERROR(RecordSale(session, context, before, canceled));
  CrashPoint("product.pricing.written");
  return canceled;
}

absl::StatusOr<bool> TurnSale(postgres::Session& session, const RequestContext& context,
                              const QuotaTurn& turn) {
  const std::optional<ProductId> product = FindQuotaTurn(session, context.tenant, turn);
  if (!product) return false;
  if (TryLockProduct(session, context.tenant, *product) == LockOutcome::kBusy) return ProductBusy();
  // Looked at after the lock: the sale may have been canceled.
  if (!FindQuotaTurn(session, context.tenant, turn)) return false;
  ASSIGN_OR_RETURN(const Product next, BeginVersion(session, context.tenant, *product));
  StoreQuotaTurn(session, context.tenant, turn, next.updated_at);
  RETURN_IF_ERROR(Announce(session, context, next));
  CrashPoint("product.quota.written");
  return true;
}

absl::StatusOr<bool> AnnounceDue(postgres::Session& session, const RequestContext& context,
                                 const ProductId& product) {
  if (TryLockProduct(session, context.tenant, product) != LockOutcome::kLocked) return false;
  // Looked at after the lock: another replica may have done it.
  if (!IsDue(session, context.tenant, product)) return false;
  ASSIGN_OR_RETURN(const Product next, BeginVersion(session, context.tenant, product));
  RETURN_IF_ERROR(Announce(session, context, next));
  CrashPoint("product.announce.written");
  return true;
}

}  // namespace bv::product
