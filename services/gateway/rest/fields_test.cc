#include "services/gateway/rest/fields.h"

#include <gtest/gtest.h>

#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/json/json.h"

namespace bv::gateway {
namespace {

namespace product = commerce::product::v1;

std::string Selected(std::string_view names, const google::protobuf::Message& message) {
  const auto selection = FieldSelection::Parse(names, *message.GetDescriptor());
  if (!selection.ok())
    return Concat(ErrorReason(selection.status()), " ", std::string(selection.status().message()));
  std::string json;
  EXPECT_TRUE(json::Append(message, json).ok());
  selection->Apply(json);
  return json;
}

class Fields : public testing::Test {
 protected:
  Fields() {
    product_.set_product_id("prd_1");
    product_.set_title(R"(a "mug", {red}] \)");
    for (const char* sku : {"A", "B"}) {
      auto& variant = *product_.add_variants();
      variant.set_sku(sku);
      variant.set_price(1295);
      variant.set_currency("USD");
    }
  }
  product::Product product_;
};

TEST_F(Fields, KeepsWhatIsNamed) {
  EXPECT_EQ(Selected("title", product_), R"({"title":"a \"mug\", {red}] \\"})");
  EXPECT_EQ(Selected("version,productId", product_), R"({"productId":"prd_1","version":0})");
  EXPECT_EQ(Selected("productId,productId", product_), R"({"productId":"prd_1"})");
  EXPECT_EQ(Selected("createdAt", product_), "{}") << "it has none";
}

TEST_F(Fields, GoesIntoEachElement) {
  EXPECT_EQ(Selected("variants.sku", product_), R"({"variants":[{"sku":"A"},{"sku":"B"}]})");
  EXPECT_EQ(Selected("variants.price,productId", product_),
            R"({"productId":"prd_1","variants":[{"price":12.95},{"price":12.95}]})")
      << "an amount is right without its currency";
  product::ListProductsResponse page;
  *page.add_products() = product_;
  EXPECT_EQ(Selected("products.variants.sku,nextPageToken", page),
            R"({"products":[{"variants":[{"sku":"A"},{"sku":"B"}]}],"nextPageToken":""})");
  page.clear_products();
  EXPECT_EQ(Selected("products.title", page), R"({"products":[]})");
}

TEST_F(Fields, AWholeValueIsMoreThanAPartOfIt) {
  const std::string whole = Selected("variants", product_);
  EXPECT_EQ(Selected("variants,variants.sku", product_), whole);
  EXPECT_EQ(Selected("variants.sku,variants", product_), whole);
}

TEST_F(Fields, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(Selected("title,nope", product_), "UNKNOWN_FIELD the answer has no nope");
  EXPECT_EQ(Selected("variants.nope", product_), "UNKNOWN_FIELD the answer has no variants.nope");
  EXPECT_EQ(Selected("variants,variants.nope", product_), "UNKNOWN_FIELD the answer has no variants.nope");
  EXPECT_EQ(Selected("title.nope", product_), "UNKNOWN_FIELD the answer has no title.nope");
  EXPECT_EQ(Selected("createdAt.seconds", product_), "UNKNOWN_FIELD the answer has no createdAt.seconds");
  EXPECT_EQ(Selected("product_id", product_), "UNKNOWN_FIELD the answer has no product_id");
  for (const char* empty : {",", "title,", "."}) EXPECT_NE(Selected(empty, product_)[0], '{') << empty;
  std::string many = "title";
  for (int i = 0; i < 100; ++i) many += ",title";
  EXPECT_EQ(Selected(many, product_), "INVALID_VALUE at most 100 names");
}

}  // namespace
}  // namespace bv::gateway
