// The calls of commerce.webhook.v1.Webhooks that are about deliveries: the log, and sending once more.
#pragma once

#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/webhook-dispatcher/rpc/convert.h"

namespace bv::webhook {

class DeliveryRpc {
 public:
  // The pool outlives it.
  explicit DeliveryRpc(postgres::Pool& pool) : pool_(pool) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Delivery> SendTestEvent(rpc::Call<pb::SendTestEventRequest> call);
  rpc::Reply<pb::Delivery> GetDelivery(rpc::Call<pb::GetDeliveryRequest> call);
  rpc::Reply<pb::ListDeliveriesResponse> ListDeliveries(rpc::Call<pb::ListDeliveriesRequest> call);
  rpc::Reply<pb::Delivery> Redeliver(rpc::Call<pb::RedeliverRequest> call);
  rpc::Reply<pb::RedeliverRangeResponse> RedeliverRange(rpc::Call<pb::RedeliverRangeRequest> call);

 private:
  postgres::Pool& pool_;
};

}  // namespace bv::webhook
