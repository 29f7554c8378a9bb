#include "services/product/rpc/search_rpc.h"

#include <absl/container/flat_hash_map.h>

#include "libs/base/macros.h"
#include "services/product/rpc/convert.h"
#include "services/product/rpc/search_convert.h"
#include "services/product/store/product_rows.h"

namespace bv::product {
namespace {

namespace pb = commerce::product::v1;

using Products = std::vector<Product>;
template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

}  // namespace

void SearchRpc::Serve(rpc::Server& server) {
  server.Handle("commerce.product.v1.Products", "SearchProducts", *this, &SearchRpc::SearchProducts);
}

rpc::Reply<pb::SearchProductsResponse> SearchRpc::SearchProducts(rpc::Call<pb::SearchProductsRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(SearchQuery query, FromProto(call.request()));
  const auto page_size = static_cast<std::size_t>(query.limit);
  // One more tells whether there is a next page.
  ++query.limit;
  CO_ASSIGN_OR_RETURN(const SearchResult found, co_await search_.Find(query, context));

  std::vector<ProductId> ids;
  for (const SearchHit& hit : found.hits) ids.push_back(hit.product);
  Products products;
  if (!ids.empty()) {
    Work<Products> read = [&](postgres::Session& session) {
      return ReadProducts(session, context.tenant, ids);
    };
    CO_ASSIGN_OR_RETURN(products, co_await pool_.Read<Products>(context, std::move(read)));
  }
  absl::flat_hash_map<std::string, const Product*> by_id;
  for (const Product& product : products) by_id.emplace(product.id.str(), &product);

  pb::SearchProductsResponse response = ToProto(found, query);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < found.hits.size(); ++i) {
    const auto product = by_id.find(found.hits[i].product.str());
    // It has ceased to be ACTIVE since it was found.
    const bool is_gone = product == by_id.end() || product->second->status != ProductStatus::kActive;
    pb::Product shown = is_gone ? pb::Product() : ToProto(*product->second);
    bytes += shown.ByteSizeLong();
    if (i == page_size || (i > 0 && bytes > kPageBytesMax)) {
      response.set_next_page_token(ToPageToken(found.hits[i - 1]));
      break;
    }
    if (!is_gone) *response.add_products() = std::move(shown);
  }
  co_return response;
}

}  // namespace bv::product
