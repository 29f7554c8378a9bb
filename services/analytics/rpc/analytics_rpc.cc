#include "services/analytics/rpc/analytics_rpc.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/timestamp.h"
#include "services/analytics/rpc/convert.h"
#include "services/analytics/rpc/page_token.h"

namespace bv::analytics {
namespace {

// Days or minutes by currencies in one answer.
constexpr int kRevenueRowsMax = 2'000;

absl::Status TooManyRows(std::string_view field) {
  return Error(
      absl::StatusCode::kInvalidArgument, "RANGE_TOO_LARGE",
      Concat("the answer would have more than ", kRevenueRowsMax, " rows: name a currency or ask for less"),
      field);
}

}  // namespace

void AnalyticsRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.analytics.v1.Analytics";
  server.Handle(service, "ListOrdersByCustomer", *this, &AnalyticsRpc::ListOrdersByCustomer);
  server.Handle(service, "GetInventorySnapshot", *this, &AnalyticsRpc::GetInventorySnapshot);
  server.Handle(service, "GetDailyRevenue", *this, &AnalyticsRpc::GetDailyRevenue);
  server.Handle(service, "GetLiveRevenue", *this, &AnalyticsRpc::GetLiveRevenue);
}

rpc::Reply<pb::ListOrdersByCustomerResponse> AnalyticsRpc::ListOrdersByCustomer(
    rpc::Call<pb::ListOrdersByCustomerRequest> call) {
  using Rows = std::vector<OrderRow>;
  const RequestContext& context = call.context();
  const pb::ListOrdersByCustomerRequest& request = call.request();
  CO_ASSIGN_OR_RETURN(const int page_size, CountFromProto(request.page_size(), 20, 100, "pageSize"));
  CO_ASSIGN_OR_RETURN(const std::vector<std::string> before, FromPageToken(request.page_token(), 1));
  const std::string user = request.user_id().empty() ? context.user_id : request.user_id();
  if (context.role == Role::kCustomer && user != context.user_id) {
    co_return Error(absl::StatusCode::kPermissionDenied, "NOT_YOURS",
                    "a customer may list their own orders only", "userId");
  }
  CO_RETURN_IF_ERROR(CheckText(user, 1, 128, "userId"));
  std::function<absl::StatusOr<Rows>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Rows> {
    return ReadOrders(session, context.tenant, user, before[0], page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(Rows orders, co_await pool_.Read<Rows>(context, std::move(read)));
  pb::ListOrdersByCustomerResponse response;
  if (orders.size() > static_cast<std::size_t>(page_size)) {
    orders.pop_back();
    response.set_next_page_token(ToPageToken({orders.back().order_id}));
  }
  for (const OrderRow& order : orders) *response.add_orders() = ToProto(order, user);
  co_return response;
}

rpc::Reply<pb::GetInventorySnapshotResponse> AnalyticsRpc::GetInventorySnapshot(
    rpc::Call<pb::GetInventorySnapshotRequest> call) {
  using Rows = std::vector<StockRow>;
  const RequestContext& context = call.context();
  const pb::GetInventorySnapshotRequest& request = call.request();
  CO_ASSIGN_OR_RETURN(const int page_size, CountFromProto(request.page_size(), 100, 500, "pageSize"));
  CO_ASSIGN_OR_RETURN(const std::vector<std::string> after, FromPageToken(request.page_token(), 2));
  if (!request.sku().empty()) CO_RETURN_IF_ERROR(SkuCode::Parse(request.sku()).status());
  std::function<absl::StatusOr<Rows>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Rows> {
    return ReadStock(session, context.tenant, request.sku(), {after[0], after[1]}, page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(Rows stock, co_await pool_.Read<Rows>(context, std::move(read)));
  pb::GetInventorySnapshotResponse response;
  if (stock.size() > static_cast<std::size_t>(page_size)) {
    stock.pop_back();
    response.set_next_page_token(ToPageToken({stock.back().place.sku, stock.back().place.location_code}));
  }
  for (const StockRow& row : stock) *response.add_levels() = ToProto(row);
  co_return response;
}

rpc::Reply<pb::GetDailyRevenueResponse> AnalyticsRpc::GetDailyRevenue(
    rpc::Call<pb::GetDailyRevenueRequest> call) {
  using Rows = std::vector<DayRow>;
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Days days, DaysFromProto(call.request()));
  CO_ASSIGN_OR_RETURN(const std::string currency, CurrencyFromProto(call.request().currency()));
  std::function<absl::StatusOr<Rows>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Rows> {
    return ReadDays(session, context.tenant, days.first, days.last, currency, kRevenueRowsMax + 1);
  };
  CO_ASSIGN_OR_RETURN(const Rows rows, co_await pool_.Read<Rows>(context, std::move(read)));
  if (rows.size() > kRevenueRowsMax) co_return TooManyRows("toDay");
  pb::GetDailyRevenueResponse response;
  response.set_time_zone(zones_.Of(context.tenant).name());
  for (const DayRow& row : rows) *response.add_days() = ToProto(row);
  co_return response;
}

rpc::Reply<pb::GetLiveRevenueResponse> AnalyticsRpc::GetLiveRevenue(
    rpc::Call<pb::GetLiveRevenueRequest> call) {
  using Rows = std::vector<MinuteRow>;
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const int minutes, CountFromProto(call.request().minutes(), 15, 120, "minutes"));
  CO_ASSIGN_OR_RETURN(const std::string currency, CurrencyFromProto(call.request().currency()));
  // Before the rows are read: what it promises is in them.
  const std::optional<absl::Time> watermark = live_.Watermark();
  const absl::Time first = absl::Now() - absl::Minutes(minutes);
  std::function<absl::StatusOr<Rows>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Rows> {
    return ReadMinutes(session, context.tenant, first, currency, kRevenueRowsMax + 1);
  };
  CO_ASSIGN_OR_RETURN(const Rows rows, co_await pool_.Read<Rows>(context, std::move(read)));
  if (rows.size() > kRevenueRowsMax) co_return TooManyRows("minutes");
  pb::GetLiveRevenueResponse response;
  if (watermark) *response.mutable_watermark() = rpc::ToTimestamp(*watermark);
  for (const MinuteRow& row : rows) *response.add_windows() = ToProto(row, watermark);
  co_return response;
}

}  // namespace bv::analytics
