// Many products at once, by their ids.
#include <set>

#include "libs/base/strings.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {
namespace {

class BatchTest : public ProductTest {
 protected:
  absl::StatusOr<pb::BatchGetProductsResponse> Get(const std::vector<std::string>& ids,
                                                   const RequestContext& context) {
    pb::BatchGetProductsRequest request;
    for (const std::string& id : ids) request.add_product_ids(id);
    return Call(&ProductRpc::BatchGetProducts, request, context);
  }
  std::set<std::string> IdsOf(const std::vector<std::string>& ids, const RequestContext& context) {
    const auto response = Get(ids, context);
    EXPECT_TRUE(response.ok()) << response.status();
    std::set<std::string> found;
    if (!response.ok()) return found;
    for (const pb::Product& product : response->products())
      EXPECT_TRUE(found.insert(product.product_id()).second);
    return found;
  }
};

TEST_F(BatchTest, EachIsAsIfItHadBeenAskedForAlone) {
  std::vector<std::string> ids;
  for (const std::vector<std::string>& skus : {std::vector<std::string>{"A"}, {"B", "C"}, {"D"}})
    ids.push_back(Stored(skus).product_id());
  const auto response = Get(ids, Shopper());
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->products_size(), 3);
  for (const pb::Product& product : response->products())
    EXPECT_EQ(product.SerializeAsString(), ProductTest::Get(product.product_id())->SerializeAsString());
}

TEST_F(BatchTest, WhatIsUnknownOrNamedTwiceIsNoError) {
  const std::string known = Stored({"A"}).product_id();
  EXPECT_EQ(IdsOf({known, ProductId::New().str(), known}, Shopper()), std::set{known});
  EXPECT_EQ(IdsOf({ProductId::New().str()}, Shopper()), std::set<std::string>());
}

TEST_F(BatchTest, ShoppersSeeNoDrafts) {
  pb::CreateProductRequest request = NewProduct({"A"});
  request.set_status(pb::PRODUCT_STATUS_DRAFT);
  const std::string draft = Create(request)->product_id();
  const std::string shown = Stored({"B"}).product_id();
  EXPECT_EQ(IdsOf({draft, shown}, Shopper()), std::set{shown});
  EXPECT_EQ(IdsOf({draft, shown}, Staff()), (std::set{draft, shown}));
}

TEST_F(BatchTest, AnotherTenantSeesNothing) {
  const std::string id = Stored({"A"}).product_id();
  EXPECT_EQ(IdsOf({id}, testing::ContextOf("stranger", "eve", Role::kAdmin)), std::set<std::string>());
}

TEST_F(BatchTest, OneToAHundredIds) {
  const std::vector<std::string> most(100, ProductId::New().str());
  EXPECT_TRUE(Get(most, Shopper()).ok());
  std::vector<std::string> more = most;
  more.push_back(most[0]);
  for (const std::vector<std::string>& ids : {std::vector<std::string>(), more})
    EXPECT_EQ(FieldOfError(Get(ids, Shopper()).status()), "productIds");
  EXPECT_EQ(FieldOfError(Get({most[0], "x"}, Shopper()).status()), "productIds[1]");
}

}  // namespace
}  // namespace bv::product
