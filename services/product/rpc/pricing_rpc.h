// The service commerce.pricing.v1.Pricing.
#pragma once

#include "commerce/pricing/v1/service.grpc.pb.h"
#include "libs/policy/policy.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/product/rpc/sale_quotas.h"
#include "services/product/store/sale_rows.h"

namespace bv::product {

namespace pricing = commerce::pricing::v1;

class PricingRpc {
 public:
  // `changes` is for changes of prices alone, so that they do not queue up behind anything else.
  PricingRpc(postgres::Pool& reads, postgres::Pool& changes, SaleQuotas& quotas, policy::Policy& policy)
      : reads_(reads), changes_(changes), quotas_(quotas), policy_(policy) {}

  // Handlers are served by `server` from its start on.
  void Serve(rpc::Server& server);

  rpc::Reply<pricing::PriceOverride> SetPriceOverride(rpc::Call<pricing::SetPriceOverrideRequest> call);
  rpc::Reply<pricing::PriceOverride> RemovePriceOverride(rpc::Call<pricing::RemovePriceOverrideRequest> call);
  rpc::Reply<pricing::FlashSale> CreateFlashSale(rpc::Call<pricing::CreateFlashSaleRequest> call);
  rpc::Reply<pricing::FlashSale> GetFlashSale(rpc::Call<pricing::GetFlashSaleRequest> call);
  rpc::Reply<pricing::ListFlashSalesResponse> ListFlashSales(rpc::Call<pricing::ListFlashSalesRequest> call);
  rpc::Reply<pricing::FlashSale> CancelFlashSale(rpc::Call<pricing::CancelFlashSaleRequest> call);

 private:
  // Whether the policy lets the caller do this with the price of a SKU.
  async::Task<absl::Status> CheckPolicy(std::string action, const SkuCode& sku,
                                        const RequestContext& context);
  async::Task<absl::StatusOr<SaleSeen>> Store(const FlashSale& wanted, const RequestContext& context);
  // The quota of a limited sale first: one that is stored has it, whatever happens in between.
  async::Task<absl::StatusOr<SaleSeen>> StoreWithQuota(const FlashSale& wanted,
                                                       const RequestContext& context);

  postgres::Pool& reads_;
  postgres::Pool& changes_;
  SaleQuotas& quotas_;
  policy::Policy& policy_;
};

}  // namespace bv::product
