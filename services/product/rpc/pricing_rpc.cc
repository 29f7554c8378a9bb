#include "services/product/rpc/pricing_rpc.h"

#include "libs/base/crash_point.h"
#include "libs/base/macros.h"
#include "services/product/rpc/pricing_convert.h"
#include "services/product/store/change_pricing.h"
#include "services/product/store/change_product.h"

namespace bv::product {
namespace {

template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

}  // namespace

void PricingRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.pricing.v1.Pricing";
  server.Handle(service, "SetPriceOverride", *this, &PricingRpc::SetPriceOverride);
  server.Handle(service, "RemovePriceOverride", *this, &PricingRpc::RemovePriceOverride);
  server.Handle(service, "CreateFlashSale", *this, &PricingRpc::CreateFlashSale);
  server.Handle(service, "GetFlashSale", *this, &PricingRpc::GetFlashSale);
  server.Handle(service, "ListFlashSales", *this, &PricingRpc::ListFlashSales);
  server.Handle(service, "CancelFlashSale", *this, &PricingRpc::CancelFlashSale);
}

async::Task<absl::Status> PricingRpc::CheckPolicy(std::string action, const SkuCode& sku,
                                                  const RequestContext& context) {
  policy::Question question{.action = std::move(action), .resource_type = "price", .resource_id = sku.str()};
  co_return co_await policy_.Check(std::move(question), context);
}

rpc::Reply<pricing::PriceOverride> PricingRpc::SetPriceOverride(
    rpc::Call<pricing::SetPriceOverrideRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const PriceOverride wanted, FromProto(call.request()));
  CO_RETURN_IF_ERROR(co_await CheckPolicy("price.override", wanted.sku, context));
  Work<PriceOverride> set = [&](postgres::Session& session) { return SetOverride(session, context, wanted); };
  CO_ASSIGN_OR_RETURN(const PriceOverride stored,
                      co_await changes_.Transact<PriceOverride>(context, std::move(set)));
  co_return ToProto(stored);
}

rpc::Reply<pricing::PriceOverride> PricingRpc::RemovePriceOverride(
    rpc::Call<pricing::RemovePriceOverrideRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const SkuCode sku, SkuCode::Parse(call.request().sku()));
  CO_RETURN_IF_ERROR(co_await CheckPolicy("price.remove_override", sku, context));
  Work<PriceOverride> remove = [&](postgres::Session& session) {
    return RemoveOverride(session, context, sku);
  };
  CO_ASSIGN_OR_RETURN(const PriceOverride removed,
                      co_await changes_.Transact<PriceOverride>(context, std::move(remove)));
  co_return ToProto(removed);
}

rpc::Reply<pricing::FlashSale> PricingRpc::CreateFlashSale(rpc::Call<pricing::CreateFlashSaleRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const FlashSale wanted, FromProto(call.request()));
  CO_ASSIGN_OR_RETURN(const SaleSeen created, co_await StoreWithQuota(wanted, context));
  co_return ToProto(created);
}

async::Task<absl::StatusOr<SaleSeen>> PricingRpc::Store(const FlashSale& wanted,
                                                        const RequestContext& context) {
  Work<SaleSeen> create = [&](postgres::Session& session) { return CreateSale(session, context, wanted); };
  co_return co_await changes_.Transact<SaleSeen>(context, std::move(create));
}

async::Task<absl::StatusOr<SaleSeen>> PricingRpc::StoreWithQuota(const FlashSale& wanted,
                                                                 const RequestContext& context) {
  if (!wanted.quantity_limit) co_return co_await Store(wanted, context);
  // What is refused anyway makes no quota.
  Work<bool> check = [&](postgres::Session& session) -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(CheckSale(session, context.tenant, wanted));
    return true;
  };
  CO_RETURN_IF_ERROR((co_await changes_.Transact<bool>(context, std::move(check))).status());
  CO_RETURN_IF_ERROR(co_await quotas_.SetUp(wanted, context));
  CrashPoint("product.sale.quota_set_up");
  absl::StatusOr<SaleSeen> created = co_await Store(wanted, context);
  if (!created.ok() && !postgres::CommitUnknown(created.status())) co_await quotas_.Drop(wanted, context);
  co_return created;
}

rpc::Reply<pricing::FlashSale> PricingRpc::GetFlashSale(rpc::Call<pricing::GetFlashSaleRequest> call) {
  const RequestContext& context = call.context();
  const absl::StatusOr<FlashSaleId> id = FlashSaleId::Parse(call.request().sale_id());
  if (!id.ok()) co_return FlashSaleNotFound();
  Work<std::optional<SaleSeen>> read = [&](postgres::Session& session) {
    return ReadSale(session, context.tenant, *id);
  };
  CO_ASSIGN_OR_RETURN(const std::optional<SaleSeen> found,
                      co_await reads_.Read<std::optional<SaleSeen>>(context, std::move(read)));
  if (!found) co_return FlashSaleNotFound();
  co_return ToProto(*found);
}

rpc::Reply<pricing::ListFlashSalesResponse> PricingRpc::ListFlashSales(
    rpc::Call<pricing::ListFlashSalesRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(SaleFilter filter, FromProto(call.request()));
  const auto page_size = static_cast<std::size_t>(filter.limit);
  // One more tells whether there is a next page.
  ++filter.limit;
  using Sales = std::vector<SaleSeen>;
  Work<Sales> list = [&](postgres::Session& session) { return ListSales(session, context.tenant, filter); };
  CO_ASSIGN_OR_RETURN(const Sales sales, co_await reads_.Read<Sales>(context, std::move(list)));
  pricing::ListFlashSalesResponse response;
  for (std::size_t i = 0; i < std::min(page_size, sales.size()); ++i)
    *response.add_sales() = ToProto(sales[i]);
  if (sales.size() > page_size) response.set_next_page_token(ToPageToken(sales[page_size - 1].sale.id));
  co_return response;
}

rpc::Reply<pricing::FlashSale> PricingRpc::CancelFlashSale(rpc::Call<pricing::CancelFlashSaleRequest> call) {
  const RequestContext& context = call.context();
  const absl::StatusOr<FlashSaleId> id = FlashSaleId::Parse(call.request().sale_id());
  if (!id.ok()) co_return FlashSaleNotFound();
  Work<SaleSeen> cancel = [&](postgres::Session& session) { return CancelSale(session, context, *id); };
  CO_ASSIGN_OR_RETURN(const SaleSeen canceled,
                      co_await changes_.Transact<SaleSeen>(context, std::move(cancel)));
  co_return ToProto(canceled);
}

}  // namespace bv::product
