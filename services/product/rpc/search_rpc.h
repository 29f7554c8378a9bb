#pragma once

#include "commerce/product/v1/service.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/product/search/search.h"

namespace bv::product {

// SearchProducts of commerce.product.v1.Products: an engine finds, `pool` reads what was found.
class SearchRpc {
 public:
  SearchRpc(Search& search, postgres::Pool& pool) : search_(search), pool_(pool) {}

  // The handler is served by `server` from its start on.
  void Serve(rpc::Server& server);

  rpc::Reply<commerce::product::v1::SearchProductsResponse> SearchProducts(
      rpc::Call<commerce::product::v1::SearchProductsRequest> call);

 private:
  Search& search_;
  postgres::Pool& pool_;
};

}  // namespace bv::product
