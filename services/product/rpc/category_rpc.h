#pragma once

#include "commerce/product/v1/service.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"

namespace bv::product {

// commerce.product.v1.Categories.
class CategoryRpc {
 public:
  explicit CategoryRpc(postgres::Pool& pool) : pool_(pool) {}

  // Handlers are served by `server` from its start on.
  void Serve(rpc::Server& server);

  using Category = commerce::product::v1::Category;
  rpc::Reply<Category> CreateCategory(rpc::Call<commerce::product::v1::CreateCategoryRequest> call);
  rpc::Reply<Category> GetCategory(rpc::Call<commerce::product::v1::GetCategoryRequest> call);
  rpc::Reply<commerce::product::v1::ListCategoriesResponse> ListCategories(
      rpc::Call<commerce::product::v1::ListCategoriesRequest> call);
  rpc::Reply<Category> UpdateCategory(rpc::Call<commerce::product::v1::UpdateCategoryRequest> call);
  rpc::Reply<commerce::product::v1::DeleteCategoryResponse> DeleteCategory(
      rpc::Call<commerce::product::v1::DeleteCategoryRequest> call);

 private:
  postgres::Pool& pool_;
};

}  // namespace bv::product
