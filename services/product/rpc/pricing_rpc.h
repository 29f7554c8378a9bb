// The service commerce.pricing.v1.Pricing.
#pragma once

#include "commerce/pricing/v1/service.grpc.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"

namespace bv::product {

namespace pricing = commerce::pricing::v1;

class PricingRpc {
 public:
  // `changes` is for changes of prices alone, so that they do not queue up behind anything else.
  PricingRpc(postgres::Pool& reads, postgres::Pool& changes) : reads_(reads), changes_(changes) {}

  // Handlers are served by `server` from its start on.
  void Serve(rpc::Server& server);

  rpc::Reply<pricing::PriceOverride> SetPriceOverride(rpc::Call<pricing::SetPriceOverrideRequest> call);
  rpc::Reply<pricing::PriceOverride> RemovePriceOverride(rpc::Call<pricing::RemovePriceOverrideRequest> call);
  rpc::Reply<pricing::FlashSale> CreateFlashSale(rpc::Call<pricing::CreateFlashSaleRequest> call);
  rpc::Reply<pricing::FlashSale> GetFlashSale(rpc::Call<pricing::GetFlashSaleRequest> call);
  rpc::Reply<pricing::ListFlashSalesResponse> ListFlashSales(rpc::Call<pricing::ListFlashSalesRequest> call);
  rpc::Reply<pricing::FlashSale> CancelFlashSale(rpc::Call<pricing::CancelFlashSaleRequest> call);

 private:
  postgres::Pool& reads_;
  postgres::Pool& changes_;
};

}  // namespace bv::product
