#include "services/product/rpc/product_rpc.h"

#include "libs/base/clock.h"
#include "libs/base/macros.h"
#include "services/product/rpc/convert.h"
#include "services/product/store/candidates.h"
#include "services/product/store/change_product.h"
#include "services/product/store/product_rows.h"

// A false alarm of GCC 12 about the frames of the handlers.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace bv::product {
namespace {

template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

}  // namespace

void ProductRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.product.v1.Products";
  server.Handle(service, "CreateProduct", *this, &ProductRpc::CreateProduct);
  server.Handle(service, "GetProduct", *this, &ProductRpc::GetProduct);
  server.Handle(service, "BatchGetProducts", *this, &ProductRpc::BatchGetProducts);
  server.Handle(service, "UpdateProduct", *this, &ProductRpc::UpdateProduct);
  server.Handle(service, "ListProducts", *this, &ProductRpc::ListProducts);
  server.Handle(service, "ResolveVariants", *this, &ProductRpc::ResolveVariants);
}

rpc::Reply<pb::Product> ProductRpc::CreateProduct(rpc::Call<pb::CreateProductRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Product draft, FromProto(call.request()));
  Work<Product> create = [&](postgres::Session& session) {
    return product::CreateProduct(session, context, draft);
  };
  CO_ASSIGN_OR_RETURN(const Product created, co_await pool_.Transact<Product>(context, std::move(create)));
  co_return Answered(ToProto(created), context);
}

rpc::Reply<pb::Product> ProductRpc::GetProduct(rpc::Call<pb::GetProductRequest> call) {
  const RequestContext& context = call.context();
  const absl::StatusOr<ProductId> id = ProductId::Parse(call.request().product_id());
  if (!id.ok()) co_return ProductNotFound();
  const absl::Time asked_at = MonotonicNow();
  if (cache_) {
    const std::optional<pb::Product> cached = co_await cache_->Find(*id, context);
    const bool is_draft = cached && cached->status() == pb::PRODUCT_STATUS_DRAFT;
    if (cached && !(is_draft && IsHidden(ProductStatus::kDraft, context.role))) co_return *cached;
  }
  Work<std::optional<Product>> read = [&](postgres::Session& session) {
    return ReadProduct(session, context.tenant, *id);
  };
  CO_ASSIGN_OR_RETURN(const std::optional<Product> found,
                      co_await pool_.Read<std::optional<Product>>(context, std::move(read)));
  if (!found || IsHidden(found->status, context.role)) co_return ProductNotFound();
  pb::Product product = ToProto(*found);
  if (cache_) co_await cache_->Fill(product, asked_at, context);
  co_return product;
}

rpc::Reply<pb::BatchGetProductsResponse> ProductRpc::BatchGetProducts(
    rpc::Call<pb::BatchGetProductsRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const std::vector<ProductId> ids, FromProto(call.request()));
  using Products = std::vector<Product>;
  Work<Products> read = [&](postgres::Session& session) {
    return ReadProducts(session, context.tenant, ids);
  };
  CO_ASSIGN_OR_RETURN(const Products products, co_await pool_.Read<Products>(context, std::move(read)));
  pb::BatchGetProductsResponse response;
  for (const Product& product : products) {
    if (!IsHidden(product.status, context.role))
      *response.add_products() = Answered(ToProto(product), context);
  }
  co_return response;
}

rpc::Reply<pb::Product> ProductRpc::UpdateProduct(rpc::Call<pb::UpdateProductRequest> call) {
  const RequestContext& context = call.context();
  const absl::StatusOr<ProductId> id = ProductId::Parse(call.request().product_id());
  if (!id.ok()) co_return ProductNotFound();
  CO_ASSIGN_OR_RETURN(const ProductChange change, FromProto(call.request()));
  Work<Product> update = [&](postgres::Session& session) {
    return ChangeProduct(session, context, *id, change);
  };
  CO_ASSIGN_OR_RETURN(const Product updated, co_await pool_.Transact<Product>(context, std::move(update)));
  co_return Answered(ToProto(updated), context);
}

pb::Product ProductRpc::Answered(pb::Product product, const RequestContext& context) {
  if (cache_) cache_->Answered(product, context);
  return product;
}

rpc::Reply<pb::ListProductsResponse> ProductRpc::ListProducts(rpc::Call<pb::ListProductsRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(ProductFilter filter, FromProto(call.request(), context.role));
  const auto page_size = static_cast<std::size_t>(filter.limit);
  // One more tells whether there is a next page.
  ++filter.limit;
  using Products = std::vector<Product>;
  Work<Products> list = [&](postgres::Session& session) {
    return product::ListProducts(session, context.tenant, filter);
  };
  CO_ASSIGN_OR_RETURN(const Products products, co_await pool_.Read<Products>(context, std::move(list)));

  pb::ListProductsResponse response;
  std::size_t bytes = 0;
  for (const Product& product : products) {
    pb::Product shown = ToProto(product);
    bytes += shown.ByteSizeLong();
    const auto on_page = static_cast<std::size_t>(response.products_size());
    if (on_page == page_size || (on_page > 0 && bytes > kPageBytesMax)) {
      response.set_next_page_token(ToPageToken(products[on_page - 1].id));
      break;
    }
    *response.add_products() = std::move(shown);
  }
  co_return response;
}

rpc::Reply<pb::ResolveVariantsResponse> ProductRpc::ResolveVariants(
    rpc::Call<pb::ResolveVariantsRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const std::vector<VariantRef> refs, FromProto(call.request()));
  std::optional<absl::Time> at;
  if (call.request().has_at()) {
    CO_ASSIGN_OR_RETURN(at, TimeFromProto(call.request().at(), "at"));
  }
  using Candidates = std::vector<std::vector<Candidate>>;
  Work<Candidates> find = [&](postgres::Session& session) {
    return FindCandidates(session, context.tenant, refs, at);
  };
  CO_ASSIGN_OR_RETURN(const Candidates candidates, co_await pool_.Read<Candidates>(context, std::move(find)));
  pb::ResolveVariantsResponse response;
  for (const std::vector<Candidate>& each : candidates) *response.add_variants() = ToProto(Choose(each));
  co_return response;
}

}  // namespace bv::product
