// The search and the categories of a catalogue as the gRPC server calls them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "services/product/rpc/category_rpc.h"
#include "services/product/rpc/search_rpc.h"
#include "services/product/search/postgres_search.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {

class SearchTest : public ProductTest {
 protected:
  using Strings = std::vector<std::string>;
  using Attributes = std::map<std::string, std::string>;

  absl::StatusOr<pb::SearchProductsResponse> Find(const pb::SearchProductsRequest& request);
  // Titles of the one page.
  Strings Titles(const pb::SearchProductsRequest& request);
  Strings TitlesBy(const std::string& q);

  template <class Request, class Response>
  absl::StatusOr<Response> Ask(rpc::Reply<Response> (CategoryRpc::*method)(rpc::Call<Request>),
                               const Request& request) {
    const RequestContext context = Staff();
    return loop_.Run((categories_.*method)(rpc::Call<Request>(request, context)));
  }
  absl::StatusOr<pb::Category> CreateCategory(const std::string& code, const std::string& parent = "",
                                              int position = 0);

  // A stored product whose SKU is made of the title; price in cents of USD.
  pb::Product Put(const std::string& title, std::int64_t price = 1000, const Attributes& attributes = {},
                  const Strings& categories = {});

  static pb::SearchProductsRequest By(const std::string& q);

  postgres::Pool pool_{database().Connection(), postgres::PoolSettings{.size = 1, .queue_max = 16}};
  PostgresSearch search_{database().Connection(), PostgresSearchSettings{.pool = {.size = 1, .queue_max = 16},
                                                                         .timeout = absl::Seconds(10),
                                                                         .counted_max = counted_max()}};
  SearchRpc rpc_{search_, pool_};
  CategoryRpc categories_{pool_};
  testing::Loop loop_;

 private:
  // As few as tests can make more of.
  static constexpr std::int64_t counted_max() { return 12; }
};

}  // namespace bv::product
