// The calls of commerce.webhook.v1.Webhooks that are about subscriptions.
#pragma once

#include "libs/egress/address_policy.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/webhook-dispatcher/rpc/convert.h"

namespace bv::webhook {

class SubscriptionRpc {
 public:
  // Both outlive it. The second says which URLs may be given.
  SubscriptionRpc(postgres::Pool& pool, const egress::AddressPolicy& addresses)
      : pool_(pool), addresses_(addresses) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Subscription> CreateSubscription(rpc::Call<pb::CreateSubscriptionRequest> call);
  rpc::Reply<pb::Subscription> GetSubscription(rpc::Call<pb::GetSubscriptionRequest> call);
  rpc::Reply<pb::ListSubscriptionsResponse> ListSubscriptions(rpc::Call<pb::ListSubscriptionsRequest> call);
  rpc::Reply<pb::Subscription> UpdateSubscription(rpc::Call<pb::UpdateSubscriptionRequest> call);
  rpc::Reply<pb::DeleteSubscriptionResponse> DeleteSubscription(
      rpc::Call<pb::DeleteSubscriptionRequest> call);
  rpc::Reply<pb::Subscription> PauseSubscription(rpc::Call<pb::PauseSubscriptionRequest> call);
  rpc::Reply<pb::Subscription> ResumeSubscription(rpc::Call<pb::ResumeSubscriptionRequest> call);
  rpc::Reply<pb::Subscription> RotateSecret(rpc::Call<pb::RotateSecretRequest> call);
  rpc::Reply<pb::ListAuditRecordsResponse> ListAuditRecords(rpc::Call<pb::ListAuditRecordsRequest> call);

 private:
  postgres::Pool& pool_;
  const egress::AddressPolicy& addresses_;
};

}  // namespace bv::webhook
