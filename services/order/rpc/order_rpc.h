// The service commerce.order.v1.Orders.
#pragma once

#include "commerce/order/v1/service.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/order/rpc/checkout.h"
#include "services/order/store/create_batch.h"

namespace bv::order {

namespace pb = commerce::order::v1;

class OrderRpc {
 public:
  OrderRpc(Checkout& checkout, postgres::Pool& pool) : checkout_(checkout), pool_(pool) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Order> CreateOrder(rpc::Call<pb::CreateOrderRequest> call);
  rpc::Reply<pb::Order> GetOrder(rpc::Call<pb::GetOrderRequest> call);
  rpc::Reply<pb::ListOrdersResponse> ListOrders(rpc::Call<pb::ListOrdersRequest> call);

 private:
  Checkout& checkout_;
  postgres::Pool& pool_;
};

}  // namespace bv::order
