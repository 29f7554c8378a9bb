// Two tenants: neither sees nor changes what is the other's, by the calls or by SQL.
#include <pqxx/pqxx>

#include "libs/base/strings.h"
#include "services/webhook-dispatcher/tests/webhook_fixture.h"

namespace bv::webhook {
namespace {

class TenantTest : public WebhookTest {
 protected:
  void SetUp() override {
    WebhookTest::SetUp();
    id_ = Stored().subscription_id();
    delivery_ =
        Call(&DeliveryRpc::SendTestEvent, Of<pb::SendTestEventRequest>(id_), WithKey("key"))->delivery_id();
  }
  template <class Rpc, class Request, class Response>
  std::string ReasonForStranger(rpc::Reply<Response> (Rpc::*method)(rpc::Call<Request>),
                                const Request& request) {
    return ErrorReason(Call(method, request, Stranger()).status());
  }

  std::string id_;
  std::string delivery_;
};

TEST_F(TenantTest, TheCallsShowAndChangeNothingOfAnother) {
  const std::string none = "SUBSCRIPTION_NOT_FOUND";
  EXPECT_EQ(ReasonForStranger(&SubscriptionRpc::GetSubscription, Of<pb::GetSubscriptionRequest>(id_)), none);
  EXPECT_EQ(ReasonForStranger(&SubscriptionRpc::UpdateSubscription, Of<pb::UpdateSubscriptionRequest>(id_)),
            none);
  EXPECT_EQ(ReasonForStranger(&SubscriptionRpc::DeleteSubscription, Of<pb::DeleteSubscriptionRequest>(id_)),
            none);
  EXPECT_EQ(ReasonForStranger(&SubscriptionRpc::PauseSubscription, Of<pb::PauseSubscriptionRequest>(id_)),
            none);
  EXPECT_EQ(ReasonForStranger(&SubscriptionRpc::ResumeSubscription, Of<pb::ResumeSubscriptionRequest>(id_)),
            none);
  EXPECT_EQ(ReasonForStranger(&SubscriptionRpc::RotateSecret, Of<pb::RotateSecretRequest>(id_)), none);
  EXPECT_EQ(ReasonForStranger(&SubscriptionRpc::ListAuditRecords, Of<pb::ListAuditRecordsRequest>(id_)),
            none);
  EXPECT_EQ(ReasonForStranger(&DeliveryRpc::SendTestEvent, Of<pb::SendTestEventRequest>(id_)), none);
  pb::GetDeliveryRequest get;
  get.set_delivery_id(delivery_);
  EXPECT_EQ(ReasonForStranger(&DeliveryRpc::GetDelivery, get), "DELIVERY_NOT_FOUND");
  pb::RedeliverRequest again;
  again.set_delivery_id(delivery_);
  EXPECT_EQ(ReasonForStranger(&DeliveryRpc::Redeliver, again), "DELIVERY_NOT_FOUND");

  EXPECT_EQ(Call(&SubscriptionRpc::ListSubscriptions, pb::ListSubscriptionsRequest(), Stranger())
                ->subscriptions_size(),
            0);
  EXPECT_EQ(
      Call(&DeliveryRpc::ListDeliveries, Of<pb::ListDeliveriesRequest>(id_), Stranger())->deliveries_size(),
      0);
  EXPECT_EQ(Call(&DeliveryRpc::RedeliverRange, Of<pb::RedeliverRangeRequest>(id_), Stranger())->count(), 0);
  EXPECT_EQ(Get(id_)->version(), 1);
  EXPECT_EQ(Query("SELECT count(*) FROM webhook.webhook_delivery WHERE tenant_id LIKE $T || '%'"), "1");
}

TEST_F(TenantTest, RowLevelSecurityHoldsForSqlOfTheOwner) {
  pqxx::connection connection(postgres::ConnectionUri(database().Connection()));
  pqxx::nontransaction session(connection);
  EXPECT_EQ(session.exec("SELECT current_user")[0][0].as<std::string>(), "bv_webhook");
  const std::vector<std::string> tables = {"webhook_subscription", "webhook_subscription_audit",
                                           "idempotency_record"};
  const auto expect_nothing = [&] {
    for (const std::string& table : tables) {
      const std::string mine = Concat(" WHERE tenant_id = '", tenant().str(), "'");
      EXPECT_EQ(session.exec(Concat("SELECT count(*) FROM ", table, mine))[0][0].as<int>(), 0) << table;
      EXPECT_EQ(session.exec(Concat("UPDATE ", table, " SET tenant_id = tenant_id", mine)).affected_rows(),
                0u)
          << table;
      EXPECT_EQ(session.exec(Concat("DELETE FROM ", table, mine)).affected_rows(), 0u) << table;
    }
  };
  expect_nothing();
  session.exec(Concat("SET bv.tenants = '", Stranger().tenant.str(), "'"));
  expect_nothing();
  session.exec(Concat("SET bv.tenants = '", tenant().str(), "'"));
  for (const std::string& table : tables) {
    EXPECT_GT(session.exec(Concat("SELECT count(*) FROM ", table))[0][0].as<int>(), 0) << table;
    EXPECT_THROW(session.exec(Concat("UPDATE ", table, " SET tenant_id = '", Stranger().tenant.str(), "'")),
                 pqxx::sql_error)
        << table;
  }
  // Jobs that look at all tenants see subscriptions, and change none.
  session.exec("SET bv.tenants = '*'");
  EXPECT_GT(session.exec("SELECT count(*) FROM webhook_subscription")[0][0].as<int>(), 0);
  EXPECT_EQ(session.exec("SELECT count(*) FROM webhook_subscription_audit")[0][0].as<int>(), 0);
  EXPECT_EQ(session.exec("UPDATE webhook_subscription SET description = ''").affected_rows(), 0u);
}

}  // namespace
}  // namespace bv::webhook
