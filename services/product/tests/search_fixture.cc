#include "services/product/tests/search_fixture.h"

namespace bv::product {

absl::StatusOr<pb::SearchProductsResponse> SearchTest::Find(const pb::SearchProductsRequest& request) {
  const RequestContext context = Shopper();
  return loop_.Run(rpc_.SearchProducts(rpc::Call<pb::SearchProductsRequest>(request, context)));
}

SearchTest::Strings SearchTest::Titles(const pb::SearchProductsRequest& request) {
  const auto response = Find(request);
  EXPECT_TRUE(response.ok()) << response.status();
  Strings titles;
  if (response.ok()) {
    for (const pb::Product& product : response->products()) titles.push_back(product.title());
  }
  return titles;
}

SearchTest::Strings SearchTest::TitlesBy(const std::string& q) {
  return Titles(By(q));
}

absl::StatusOr<pb::Category> SearchTest::CreateCategory(const std::string& code, const std::string& parent,
                                                        int position) {
  pb::CreateCategoryRequest request;
  request.set_code(code);
  request.set_name("Name of " + code);
  request.set_parent(parent);
  request.set_position(position);
  return Ask(&CategoryRpc::CreateCategory, request);
}

pb::Product SearchTest::Put(const std::string& title, std::int64_t price, const Attributes& attributes,
                            const Strings& categories) {
  static int made = 0;
  pb::CreateProductRequest request = NewProduct({"SKU" + std::to_string(++made)}, title);
  request.clear_description();
  request.mutable_variants(0)->set_price(price);
  request.mutable_attributes()->insert(attributes.begin(), attributes.end());
  request.mutable_categories()->Assign(categories.begin(), categories.end());
  const auto product = Create(request);
  EXPECT_TRUE(product.ok()) << product.status();
  return product.ok() ? *product : pb::Product();
}

pb::SearchProductsRequest SearchTest::By(const std::string& q) {
  pb::SearchProductsRequest request;
  request.set_q(q);
  return request;
}

}  // namespace bv::product
