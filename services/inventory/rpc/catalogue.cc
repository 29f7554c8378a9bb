#include "services/inventory/rpc/catalogue.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/inventory/store/stock_rows.h"

namespace bv::inventory {
namespace {

namespace product = commerce::product::v1;

// Some 20 MB; then it learns them anew.
constexpr std::size_t kKnownMax = 100'000;

}  // namespace

async::Task<absl::StatusOr<ProductId>> Catalogue::ProductOf(const RequestContext& context, SkuCode sku) {
  const StockKey key{context.tenant, sku};
  if (std::optional<ProductId> known = Known(key)) co_return *std::move(known);
  CO_ASSIGN_OR_RETURN(const ProductId found, co_await Find(context, sku));
  Remember(key, found);
  co_return found;
}

async::Task<absl::StatusOr<ProductId>> Catalogue::Find(const RequestContext& context, const SkuCode& sku) {
  std::function<absl::StatusOr<Shelf>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Shelf> {
    return ReadShelf(session, context.tenant, sku);
  };
  CO_ASSIGN_OR_RETURN(const Shelf shelf, co_await pool_.Read<Shelf>(context, std::move(read)));
  if (!shelf.product.empty()) co_return shelf.product;
  product::ResolveVariantsRequest request;
  request.add_variants()->set_sku(sku.str());
  CO_ASSIGN_OR_RETURN(
      const product::ResolveVariantsResponse response,
      co_await products_.Call(&rpc::Async<product::Products>::ResolveVariants, request, context));
  if (response.variants_size() != 1 || response.variants(0).product_id().empty()) {
    co_return Error(absl::StatusCode::kInvalidArgument, "SKU_UNKNOWN",
                    Concat("the catalogue has no SKU ", sku.str()), "sku");
  }
  co_return ProductId::Trusted(response.variants(0).product_id());
}

std::optional<ProductId> Catalogue::Known(const StockKey& key) {
  const absl::MutexLock lock(&mutex_);
  const auto found = known_.find(key);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void Catalogue::Remember(const StockKey& key, const ProductId& product) {
  const absl::MutexLock lock(&mutex_);
  if (known_.size() >= kKnownMax) known_.clear();
  known_[key] = product;
}

}  // namespace bv::inventory
