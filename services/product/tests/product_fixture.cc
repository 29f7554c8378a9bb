#include "services/product/tests/product_fixture.h"

#include <absl/strings/str_replace.h>

#include <atomic>

#include "libs/base/strings.h"

namespace bv::product {

std::unique_ptr<ProductTest::Parts> ProductTest::parts_;

void ProductTest::SetUpTestSuite() {
  parts_ = std::make_unique<Parts>();
}

void ProductTest::TearDownTestSuite() {
  parts_.reset();
}

void ProductTest::SetUp() {
  static std::atomic<int> counter{0};
  tenant_ = Concat("tenant-", counter.fetch_add(1));
}

absl::StatusOr<pb::Product> ProductTest::Create(const pb::CreateProductRequest& request) {
  return Call(&ProductRpc::CreateProduct, request, Staff());
}

absl::StatusOr<pb::Product> ProductTest::Update(const pb::UpdateProductRequest& request) {
  return Call(&ProductRpc::UpdateProduct, request, Staff());
}

absl::StatusOr<pb::Product> ProductTest::Get(const std::string& product_id) {
  pb::GetProductRequest request;
  request.set_product_id(product_id);
  return Call(&ProductRpc::GetProduct, request, Staff());
}

pb::Product ProductTest::Stored(const std::vector<std::string>& skus, const std::string& title) {
  absl::StatusOr<pb::Product> product = Create(NewProduct(skus, title));
  EXPECT_TRUE(product.ok()) << product.status();
  return product.ok() ? *product : pb::Product();
}

pb::CreateProductRequest ProductTest::NewProduct(const std::vector<std::string>& skus,
                                                 const std::string& title) {
  pb::CreateProductRequest request;
  request.set_title(title);
  request.set_description("For two");
  for (const std::string& sku : skus) {
    pb::NewVariant* variant = request.add_variants();
    variant->set_sku(sku);
    variant->set_price(1000);
    variant->set_currency("USD");
  }
  return request;
}

pb::UpdateProductRequest ProductTest::PriceChange(const pb::Product& product, const std::string& sku,
                                                  std::int64_t price) {
  pb::UpdateProductRequest request;
  request.set_product_id(product.product_id());
  pb::VariantChange* change = request.add_variants();
  change->set_sku(sku);
  change->set_price(price);
  change->set_currency("USD");
  return request;
}

std::string ProductTest::Query(std::string sql) const {
  return database().Query(absl::StrReplaceAll(sql, {{"$T", Concat("'", tenant_, "'")}}));
}

std::string ProductTest::EventCount(const std::string& product_id) const {
  return Query(
      Concat("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND aggregatetype = "
             "'ecommerce.product.product' "
             "AND aggregateid = '",
             product_id, "'"));
}

}  // namespace bv::product
