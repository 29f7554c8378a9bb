#include "services/product/domain/flash_sale.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libs/base/error.h"

namespace bv::product {
namespace {

TEST(QuotaOf, LeadsBackToItsSale) {
  const FlashSaleId sale = FlashSaleId::New();
  EXPECT_EQ(QuotaOf(sale), "quota:" + sale.str());
  EXPECT_EQ(*SaleOfQuota(QuotaOf(sale), "quota"), sale);
}

TEST(QuotaOf, IsNoSku) {
  EXPECT_FALSE(SkuCode::Parse(QuotaOf(FlashSaleId::New())).ok());
}

TEST(SaleOfQuota, RefusesWhatIsNoSales) {
  const std::vector<std::string> others{"", "TENT", "quota:", "quota:coupon", FlashSaleId::New().str()};
  for (const std::string& quota : others)
    EXPECT_EQ(GetErrorDetail(SaleOfQuota(quota, "payload.quota").status()).field, "payload.quota") << quota;
}

}  // namespace
}  // namespace bv::product
