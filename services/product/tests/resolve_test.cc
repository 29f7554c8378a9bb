// What order and cart ask for.
#include "libs/base/strings.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {
namespace {

class ResolveTest : public ProductTest {
 protected:
  absl::StatusOr<pb::ResolveVariantsResponse> Resolve(const pb::ResolveVariantsRequest& request) {
    return Call(&ProductRpc::ResolveVariants, request, Shopper());
  }
  pb::ResolvedVariant BySku(const std::string& sku) {
    pb::ResolveVariantsRequest request;
    request.add_variants()->set_sku(sku);
    return One(request);
  }
  pb::ResolvedVariant ByProduct(const std::string& product_id) {
    pb::ResolveVariantsRequest request;
    request.add_variants()->set_product_id(product_id);
    return One(request);
  }
  void SetStatus(const pb::Product& product, pb::ProductStatus status) {
    pb::UpdateProductRequest request;
    request.set_product_id(product.product_id());
    request.set_status(status);
    ASSERT_TRUE(Update(request).ok());
  }
  void Archive(const pb::Product& product, const std::string& sku) {
    pb::UpdateProductRequest request;
    request.set_product_id(product.product_id());
    request.add_variants()->set_sku(sku);
    request.mutable_variants(0)->set_status(pb::VARIANT_STATUS_ARCHIVED);
    ASSERT_TRUE(Update(request).ok());
  }

 private:
  pb::ResolvedVariant One(const pb::ResolveVariantsRequest& request) {
    const auto response = Resolve(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() && response->variants_size() == 1 ? response->variants(0) : pb::ResolvedVariant();
  }
};

TEST_F(ResolveTest, AVariantThatIsSoldComesWithItsPrice) {
  const pb::Product product = Stored({"TENT-1"});
  pb::UpdateProductRequest change = PriceChange(product, "TENT-1", 950);
  change.set_vendor_id("tentmaker");
  ASSERT_TRUE(Update(change).ok());
  for (const pb::ResolvedVariant& variant : {BySku("TENT-1"), ByProduct(product.product_id())}) {
    EXPECT_EQ(variant.outcome(), pb::ResolvedVariant::OUTCOME_SELLABLE);
    EXPECT_EQ(variant.product_id(), product.product_id());
    EXPECT_EQ(variant.variant_id(), product.variants(0).variant_id());
    EXPECT_EQ(variant.sku(), "TENT-1");
    EXPECT_EQ(variant.title(), "Tent");
    EXPECT_EQ(variant.vendor_id(), "tentmaker");
    EXPECT_EQ(variant.product_version(), 2);
    EXPECT_EQ(variant.price(), 950);
    EXPECT_EQ(variant.currency(), "USD");
    EXPECT_EQ(variant.fulfillment_type(), commerce::common::v1::FULFILLMENT_TYPE_PHYSICAL);
    EXPECT_FALSE(variant.has_valid_until());
    const std::int64_t micros =
        variant.valid_from().seconds() * 1'000'000 + variant.valid_from().nanos() / 1000;
    EXPECT_EQ(std::to_string(micros),
              Query("SELECT (extract(epoch FROM valid_from) * 1e6)::bigint "
                    "FROM product.product_price_history WHERE tenant_id = $T AND valid_to IS NULL"));
  }
}

TEST_F(ResolveTest, AnswersComeInTheOrderOfTheQuestions) {
  const pb::Product product = Stored({"A", "B"});
  pb::ResolveVariantsRequest request;
  for (const char* sku : {"B", "NONE", "A", "B"}) request.add_variants()->set_sku(sku);
  request.add_variants()->set_product_id(product.product_id());
  request.add_variants()->set_product_id(ProductId::New().str());
  const auto response = Resolve(request);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->variants_size(), 6);
  EXPECT_EQ(response->variants(0).sku(), "B");
  EXPECT_EQ(response->variants(1).outcome(), pb::ResolvedVariant::OUTCOME_NOT_FOUND);
  EXPECT_EQ(response->variants(1).sku(), "");
  EXPECT_EQ(response->variants(2).sku(), "A");
  EXPECT_EQ(response->variants(3).sku(), "B");
  EXPECT_EQ(response->variants(4).outcome(), pb::ResolvedVariant::OUTCOME_AMBIGUOUS);
  EXPECT_EQ(response->variants(4).product_id(), "");
  EXPECT_EQ(response->variants(5).outcome(), pb::ResolvedVariant::OUTCOME_NOT_FOUND);
}

TEST_F(ResolveTest, WhatIsNotActiveIsNotSold) {
  const pb::Product product = Stored({"A", "B"});
  Archive(product, "A");
  const pb::ResolvedVariant archived = BySku("A");
  EXPECT_EQ(archived.outcome(), pb::ResolvedVariant::OUTCOME_NOT_SOLD);
  EXPECT_EQ(archived.product_id(), product.product_id());
  EXPECT_EQ(archived.title(), "Tent");
  EXPECT_EQ(archived.product_version(), 2);
  EXPECT_EQ(archived.price(), 0);
  EXPECT_EQ(archived.currency(), "");
  // The one that is left is meant by its product.
  EXPECT_EQ(ByProduct(product.product_id()).sku(), "B");
  SetStatus(product, pb::PRODUCT_STATUS_ARCHIVED);
  EXPECT_EQ(BySku("B").outcome(), pb::ResolvedVariant::OUTCOME_NOT_SOLD);
  SetStatus(product, pb::PRODUCT_STATUS_DRAFT);
  EXPECT_EQ(BySku("B").outcome(), pb::ResolvedVariant::OUTCOME_NOT_SOLD);
  SetStatus(product, pb::PRODUCT_STATUS_ACTIVE);
  EXPECT_EQ(BySku("B").outcome(), pb::ResolvedVariant::OUTCOME_SELLABLE);
}

TEST_F(ResolveTest, TheLargestRequestIsAnswered) {
  std::vector<std::string> skus;
  for (int i = 0; i < 100; ++i) skus.push_back(Concat("S-", i));
  Stored(skus);
  pb::ResolveVariantsRequest request;
  for (int i = 0; i < 200; ++i) request.add_variants()->set_sku(Concat("S-", i));
  const auto response = Resolve(request);
  ASSERT_TRUE(response.ok()) << response.status();
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(response->variants(i).outcome(),
              i < 100 ? pb::ResolvedVariant::OUTCOME_SELLABLE : pb::ResolvedVariant::OUTCOME_NOT_FOUND);
  }
  request.add_variants()->set_sku("S-1");
  EXPECT_EQ(FieldOfError(Resolve(request).status()), "variants");
}

TEST_F(ResolveTest, BadInputNamesItsField) {
  EXPECT_EQ(FieldOfError(Resolve({}).status()), "variants");
  pb::ResolveVariantsRequest request;
  request.add_variants()->set_sku("A");
  request.add_variants();
  EXPECT_EQ(FieldOfError(Resolve(request).status()), "variants[1]");
  request.mutable_variants(1)->set_sku(std::string("A\0", 2));
  EXPECT_EQ(FieldOfError(Resolve(request).status()), "variants[1].sku");
  request.mutable_variants(1)->set_sku("\",NULL,\"");
  EXPECT_EQ(FieldOfError(Resolve(request).status()), "variants[1].sku");
  request.mutable_variants(1)->set_product_id("prd_x");
  EXPECT_EQ(FieldOfError(Resolve(request).status()), "variants[1].productId");
}

}  // namespace
}  // namespace bv::product
