// The service commerce.product.v1.Products.
#pragma once

#include "commerce/product/v1/service.grpc.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/product/cache/product_cache.h"

namespace bv::product {

namespace pb = commerce::product::v1;

class ProductRpc {
 public:
  // Without a cache every product is read from the tables.
  explicit ProductRpc(postgres::Pool& pool, ProductCache* cache = nullptr) : pool_(pool), cache_(cache) {}

  // Handlers are served by `server` from its start on.
  void Serve(rpc::Server& server);

  rpc::Reply<pb::Product> CreateProduct(rpc::Call<pb::CreateProductRequest> call);
  rpc::Reply<pb::Product> GetProduct(rpc::Call<pb::GetProductRequest> call);
  rpc::Reply<pb::BatchGetProductsResponse> BatchGetProducts(rpc::Call<pb::BatchGetProductsRequest> call);
  rpc::Reply<pb::Product> UpdateProduct(rpc::Call<pb::UpdateProductRequest> call);
  rpc::Reply<pb::ListProductsResponse> ListProducts(rpc::Call<pb::ListProductsRequest> call);
  rpc::Reply<pb::ResolveVariantsResponse> ResolveVariants(rpc::Call<pb::ResolveVariantsRequest> call);

 private:
  // What a writer was told is never followed by anything older from the cache.
  pb::Product Answered(pb::Product product, const RequestContext& context);

  postgres::Pool& pool_;
  ProductCache* const cache_;
};

}  // namespace bv::product
