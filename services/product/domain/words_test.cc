#include "services/product/domain/words.h"

#include <gtest/gtest.h>

namespace bv::product {
namespace {

TEST(Words, AreTheInverseOfEachOther) {
  for (const auto status : {ProductStatus::kDraft, ProductStatus::kActive, ProductStatus::kArchived}) {
    EXPECT_EQ(ProductStatusOf(Word(status)), status);
  }
  for (const auto status : {VariantStatus::kActive, VariantStatus::kArchived})
    EXPECT_EQ(VariantStatusOf(Word(status)), status);
  for (const auto type : {FulfillmentType::kPhysical, FulfillmentType::kDigital}) {
    EXPECT_EQ(FulfillmentTypeOf(Word(type)), type);
  }
}

}  // namespace
}  // namespace bv::product
