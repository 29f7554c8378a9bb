#include "services/product/domain/offer.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::product {
namespace {

constexpr VariantStatus kActive = VariantStatus::kActive;
constexpr VariantStatus kArchived = VariantStatus::kArchived;

Candidate CandidateOf(const char* sku, VariantStatus status, ProductStatus product = ProductStatus::kActive) {
  return {.product_status = product, .sku = SkuCode::Trusted(sku), .status = status};
}

TEST(Choose, OneVariantIsSoldOrNot) {
  EXPECT_EQ(Choose({CandidateOf("A", kActive)}).outcome, Outcome::kSellable);
  EXPECT_EQ(Choose({CandidateOf("A", kArchived)}).outcome, Outcome::kNotSold);
  EXPECT_EQ(Choose({CandidateOf("A", kActive, ProductStatus::kDraft)}).outcome, Outcome::kNotSold);
  EXPECT_EQ(Choose({CandidateOf("A", kActive, ProductStatus::kArchived)}).outcome, Outcome::kNotSold);
  EXPECT_TRUE(Choose({CandidateOf("A", kArchived)}).variant.has_value());
}

TEST(Choose, NoneIsNotFound) {
  EXPECT_EQ(Choose({}).outcome, Outcome::kNotFound);
  EXPECT_FALSE(Choose({}).variant.has_value());
}

TEST(Choose, TheOnlyActiveVariantIsMeant) {
  const Offer offer = Choose({CandidateOf("A", kActive), CandidateOf("B", kArchived)});
  EXPECT_EQ(offer.outcome, Outcome::kSellable);
  EXPECT_EQ(offer.variant->sku.str(), "A");
}

TEST(Choose, SeveralOfAKindAreAmbiguous) {
  EXPECT_EQ(Choose({CandidateOf("A", kActive), CandidateOf("B", kActive)}).outcome, Outcome::kAmbiguous);
  EXPECT_EQ(Choose({CandidateOf("A", kArchived), CandidateOf("B", kArchived)}).outcome, Outcome::kAmbiguous);
  EXPECT_FALSE(Choose({CandidateOf("A", kActive), CandidateOf("B", kActive)}).variant.has_value());
}

TEST(CheckRefCount, IsWithinItsLimits) {
  EXPECT_TRUE(CheckRefCount(1).ok());
  EXPECT_TRUE(CheckRefCount(kRefsMax).ok());
  EXPECT_EQ(GetErrorDetail(CheckRefCount(0)).field, "variants");
  EXPECT_EQ(GetErrorDetail(CheckRefCount(kRefsMax + 1)).field, "variants");
}

}  // namespace
}  // namespace bv::product
