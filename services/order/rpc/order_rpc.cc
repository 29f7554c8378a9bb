#include "services/order/rpc/order_rpc.h"

#include <absl/strings/escaping.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/order/rpc/convert.h"
#include "services/order/store/order_rows.h"

namespace bv::order {
namespace {

constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;

// A page token is the id of the last order of the page before, encoded so that nobody builds on its form.
std::string ToPageToken(const OrderId& last) {
  return absl::WebSafeBase64Escape(last.str());
}

absl::StatusOr<std::string> FromPageToken(const std::string& token) {
  std::string id;
  if (token.empty()) return id;
  if (!absl::WebSafeBase64Unescape(token, &id) || !OrderId::Parse(id).ok()) {
    return InvalidValue("pageToken", "must be the nextPageToken of the page before");
  }
  return id;
}

}  // namespace

void OrderRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.order.v1.Orders";
  server.Handle(service, "CreateOrder", *this, &OrderRpc::CreateOrder);
  server.Handle(service, "GetOrder", *this, &OrderRpc::GetOrder);
  server.Handle(service, "ListOrders", *this, &OrderRpc::ListOrders);
}

rpc::Reply<pb::Order> OrderRpc::CreateOrder(rpc::Call<pb::CreateOrderRequest> call) {
  CO_ASSIGN_OR_RETURN(Draft draft, FromProto(call.request()));
  CartRef cart{call.request().cart_id(), call.request().session_id()};
  CO_ASSIGN_OR_RETURN(const Placed placed,
                      co_await checkout_.Create(std::move(draft), std::move(cart),
                                                call.request().SerializeAsString(), call.context()));
  if (placed.replayed) call.MarkReplayed();
  co_return ToProto(placed.order);
}

rpc::Reply<pb::Order> OrderRpc::GetOrder(rpc::Call<pb::GetOrderRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const OrderId id, OrderIdFromProto(call.request().order_id()));
  const std::string owner = context.role == Role::kCustomer ? context.user_id : "";
  std::function<absl::StatusOr<Order>(postgres::Session&)> read = [&](postgres::Session& session) {
    return ReadOrder(session, context.tenant, id, owner);
  };
  CO_ASSIGN_OR_RETURN(const Order order, co_await pool_.Read<Order>(context, std::move(read)));
  co_return ToProto(order);
}

rpc::Reply<pb::ListOrdersResponse> OrderRpc::ListOrders(rpc::Call<pb::ListOrdersRequest> call) {
  const RequestContext& context = call.context();
  const pb::ListOrdersRequest& request = call.request();
  const int page_size = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  if (page_size < 1 || page_size > kPageSizeMax)
    co_return InvalidValue("pageSize", Concat("must be 1 to ", kPageSizeMax));
  CO_ASSIGN_OR_RETURN(const std::string before, FromPageToken(request.page_token()));
  const std::string user = request.user_id().empty() ? context.user_id : request.user_id();
  if (context.role == Role::kCustomer && user != context.user_id) {
    co_return Error(absl::StatusCode::kPermissionDenied, "NOT_YOURS",
                    "a customer may list their own orders only", "userId");
  }
  CO_RETURN_IF_ERROR(CheckText(user, 1, 128, "userId"));
  StoreCode store;
  if (!request.store_code().empty()) {
    CO_ASSIGN_OR_RETURN(store, StoreCode::Parse(request.store_code()));
  }
  std::function<absl::StatusOr<std::vector<Order>>(postgres::Session&)> list =
      [&](postgres::Session& session) -> absl::StatusOr<std::vector<Order>> {
    return order::ListOrders(session, context.tenant, user, store, before, page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(std::vector<Order> orders,
                      co_await pool_.Read<std::vector<Order>>(context, std::move(list)));
  pb::ListOrdersResponse response;
  if (orders.size() > static_cast<std::size_t>(page_size)) {
    orders.pop_back();
    response.set_next_page_token(ToPageToken(orders.back().id));
  }
  for (const Order& order : orders) *response.add_orders() = ToProto(order);
  co_return response;
}

}  // namespace bv::order
