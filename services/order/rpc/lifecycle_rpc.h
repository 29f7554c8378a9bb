// The calls of commerce.order.v1.Orders that change an order after its creation, and what is asked about
// them.
#pragma once

#include "commerce/order/v1/service.pb.h"
#include "libs/policy/policy.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/order/processes/processes.h"
#include "services/order/store/change_batch.h"

namespace bv::order {

namespace pb = commerce::order::v1;

class LifecycleRpc {
 public:
  LifecycleRpc(Processes& processes, ChangeLanes& lanes, postgres::Pool& pool, policy::Policy& policy)
      : processes_(processes), lanes_(lanes), pool_(pool), policy_(policy) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Order> PayOrder(rpc::Call<pb::PayOrderRequest> call);
  rpc::Reply<pb::Order> ConfirmPayment(rpc::Call<pb::ConfirmPaymentRequest> call);
  rpc::Reply<pb::Order> CancelOrder(rpc::Call<pb::CancelOrderRequest> call);
  rpc::Reply<pb::Order> FulfillOrder(rpc::Call<pb::FulfillOrderRequest> call);
  rpc::Reply<pb::Order> DeliverShipment(rpc::Call<pb::DeliverShipmentRequest> call);
  rpc::Reply<pb::ListOrderHistoryResponse> ListOrderHistory(rpc::Call<pb::ListOrderHistoryRequest> call);
  rpc::Reply<pb::FindReservationsResponse> FindReservations(rpc::Call<pb::FindReservationsRequest> call);

 private:
  // Whether the policy lets the caller do this with the order as it is now; NOT_FOUND for one that the caller
  // does not find. The order may have changed by the time of the transition, which looks at its state again.
  async::Task<absl::Status> CheckPolicy(std::string action, const OrderId& id, const RequestContext& context);
  // Runs the process that the call asks for and answers with the order.
  template <class Request>
  rpc::Reply<pb::Order> Run(BeginProcess begin, rpc::Call<Request> call);

  Processes& processes_;
  ChangeLanes& lanes_;
  postgres::Pool& pool_;
  policy::Policy& policy_;
};

}  // namespace bv::order
