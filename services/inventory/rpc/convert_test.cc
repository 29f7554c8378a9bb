#include "services/inventory/rpc/convert.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::inventory {
namespace {

namespace pb = commerce::inventory::v1;

const std::string kLongestQuota = "quota:" + std::string(58, 'x');

RequestContext Of(Role role) {
  RequestContext context;
  context.tenant = TenantId::Trusted("acme");
  context.role = role;
  return context;
}

absl::Status Reserve(const std::string& sku) {
  pb::ReserveRequest request;
  request.set_reservation_id("r-1");
  pb::ReserveLine* line = request.add_lines();
  line->set_sku(sku);
  line->set_qty(1);
  return FromProto(request, Of(Role::kCustomer), absl::Minutes(1)).status();
}

absl::Status Adjust(const std::string& sku, Role role) {
  pb::AdjustRequest request;
  request.set_sku(sku);
  request.set_delta(1);
  request.set_reason("FLASH_SALE");
  return FromProto(request, Of(role)).status();
}

TEST(FromProto, AQuotaIsReservedLikeGoods) {
  for (const std::string& quota : {std::string("quota:fsl_1"), kLongestQuota})
    EXPECT_TRUE(Reserve(quota).ok()) << quota;
}

TEST(FromProto, WhatIsNeitherSkuNorQuotaIsRefused) {
  for (const std::string& sku :
       {std::string("quota:"), std::string("quota:a:b"), std::string("coupon:a"), kLongestQuota + "x"})
    EXPECT_EQ(GetErrorDetail(Reserve(sku)).field, "lines[0].sku") << sku;
}

TEST(FromProto, OnlyServicesAdjustQuotas) {
  EXPECT_TRUE(Adjust("quota:fsl_1", Role::kService).ok());
  EXPECT_TRUE(Adjust("TENT", Role::kService).ok());
  for (const Role role : {Role::kStaff, Role::kAdmin, Role::kCustomer})
    EXPECT_EQ(GetErrorDetail(Adjust("quota:fsl_1", role)).field, "sku");
}

TEST(FromProto, AQuotaIsNotShipped) {
  pb::ShipRequest request;
  request.set_reservation_id("r-1");
  request.set_shipment_id("s-1");
  pb::ReserveLine* line = request.add_lines();
  line->set_sku("quota:fsl_1");
  line->set_qty(1);
  EXPECT_EQ(GetErrorDetail(FromProto(request).status()).field, "lines[0].sku");
}

TEST(BatchTest, OneToAHundredProducts) {
  const auto parse = [](int count, const std::string& id) {
    pb::BatchGetStockRequest request;
    for (int i = 0; i < count; ++i) request.add_product_ids(id);
    return FromProto(request);
  };
  const std::string id = ProductId::New().str();
  EXPECT_EQ(parse(100, id)->size(), 100U);
  EXPECT_EQ(GetErrorDetail(parse(0, id).status()).field, "productIds");
  EXPECT_EQ(GetErrorDetail(parse(101, id).status()).field, "productIds");
  EXPECT_EQ(GetErrorDetail(parse(1, "x").status()).field, "productIds[0]");
}

}  // namespace
}  // namespace bv::inventory
