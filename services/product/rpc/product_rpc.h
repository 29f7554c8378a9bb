// The service commerce.product.v1.Products.
#pragma once

#include "commerce/product/v1/service.grpc.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"

namespace bv::product {

namespace pb = commerce::product::v1;

class ProductRpc {
 public:
  explicit ProductRpc(postgres::Pool& pool) : pool_(pool) {}

  // Handlers are served by `server` from its start on.
  void Serve(rpc::Server& server);

  rpc::Reply<pb::Product> CreateProduct(rpc::Call<pb::CreateProductRequest> call);
  rpc::Reply<pb::Product> GetProduct(rpc::Call<pb::GetProductRequest> call);
  rpc::Reply<pb::Product> UpdateProduct(rpc::Call<pb::UpdateProductRequest> call);
  rpc::Reply<pb::ListProductsResponse> ListProducts(rpc::Call<pb::ListProductsRequest> call);
  rpc::Reply<pb::ResolveVariantsResponse> ResolveVariants(rpc::Call<pb::ResolveVariantsRequest> call);

 private:
  postgres::Pool& pool_;
};

}  // namespace bv::product
