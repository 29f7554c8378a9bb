#include "services/product/rpc/sale_quotas.h"

#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::product {
namespace {

namespace inventory = commerce::inventory::v1;

constexpr absl::Duration kDropTimeout = absl::Seconds(5);

}  // namespace

async::Task<absl::Status> SaleQuotas::SetUp(const FlashSale& sale, const RequestContext& context) {
  co_return co_await Adjust(sale, *sale.quantity_limit, sale.id.str(), context);
}

async::Task<void> SaleQuotas::Drop(const FlashSale& sale, const RequestContext& context) {
  // Also when the caller has gone or has no time left.
  RequestContext own = context;
  own.stop = {};
  own.deadline = absl::Now() + kDropTimeout;
  const absl::Status dropped =
      co_await Adjust(sale, -*sale.quantity_limit, Concat(sale.id.str(), ".dropped"), std::move(own));
  if (!dropped.ok()) {
    telemetry::Log(telemetry::Level::kWarn, context, "the quota of a sale that was not stored stays",
                   {{"quota", QuotaOf(sale.id)}, {"error", dropped}});
  }
}

async::Task<absl::Status> SaleQuotas::Adjust(const FlashSale& sale, std::int64_t delta, std::string once,
                                             RequestContext context) {
  RequestContext as_service = tokens_.ContextFor(context.tenant, context.deadline, context);
  as_service.stop = context.stop;
  as_service.idempotency_key = std::move(once);
  inventory::AdjustRequest request;
  request.set_sku(QuotaOf(sale.id));
  request.set_delta(delta);
  request.set_reason("FLASH_SALE");
  const absl::StatusOr<inventory::StockStatus> adjusted =
      co_await inventory_.Call(&rpc::Async<inventory::Inventory>::AdjustStock, request, as_service);
  co_return adjusted.status();
}

}  // namespace bv::product
