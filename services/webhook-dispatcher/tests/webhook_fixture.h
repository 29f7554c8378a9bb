// The calls of the service on a database of its own, called as the gRPC server calls them. Each test is a
// tenant of its own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/base/error.h"
#include "libs/testing/testing.h"
#include "services/webhook-dispatcher/rpc/delivery_rpc.h"
#include "services/webhook-dispatcher/rpc/subscription_rpc.h"

namespace bv::webhook {

class WebhookTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  template <class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (SubscriptionRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return parts_->loop.Run(
        (parts_->subscriptions.*method)(rpc::Call<Request>(request, context, &replayed_)));
  }
  template <class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (DeliveryRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return parts_->loop.Run((parts_->deliveries.*method)(rpc::Call<Request>(request, context, &replayed_)));
  }
  // By the clerk of this tenant.
  template <class Rpc, class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (Rpc::*method)(rpc::Call<Request>),
                                const Request& request) {
    replayed_ = false;
    return Call(method, request, Clerk());
  }
  // A request that names a subscription.
  template <class Request>
  static Request Of(const std::string& subscription_id) {
    Request request;
    request.set_subscription_id(subscription_id);
    return request;
  }

  static pb::CreateSubscriptionRequest New(
      const std::vector<std::string>& event_types = {"ecommerce.order.*"},
      const std::string& url = "https://example.com/hook");
  // A stored subscription, with its secret.
  pb::Subscription Stored(const pb::CreateSubscriptionRequest& request = New());
  absl::StatusOr<pb::Subscription> Get(const std::string& subscription_id);
  std::vector<pb::AuditRecord> Audit(const std::string& subscription_id);
  // "ACTION detail", newest first.
  std::vector<std::string> AuditWords(const std::string& subscription_id);

  RequestContext Clerk() const { return testing::ContextOf(tenant_, "clerk", Role::kStaff); }
  RequestContext WithKey(const std::string& key) const;
  RequestContext Stranger() const { return testing::ContextOf(tenant_ + "-other", "mallory", Role::kAdmin); }
  const TenantId& tenant() const { return tenant_id_; }
  // Whether the last call said that its answer was an earlier one's.
  bool replayed() const { return replayed_; }

  static testing::Database& database() { return parts_->database; }
  // One value as the superuser, who sees all tenants; $T is this test's tenant, quoted.
  std::string Query(std::string sql) const;
  // Runs `work` in a transaction of this tenant, as the service's role.
  absl::Status Transact(const std::function<absl::Status(postgres::Session&)>& work);

 private:
  struct Parts {
    Parts();
    testing::Database database{"webhook-dispatcher"};
    egress::AddressPolicy addresses;
    postgres::Pool pool{database.Connection(), postgres::PoolSettings{.size = 4, .queue_max = 256},
                        postgres::Plans::kIndexOnly};
    SubscriptionRpc subscriptions{pool, addresses};
    DeliveryRpc deliveries{pool};
    testing::Loop loop;
  };
  static std::unique_ptr<Parts> parts_;
  std::string tenant_;
  TenantId tenant_id_;
  bool replayed_ = false;
};

inline std::string FieldOf(const absl::Status& status) {
  return GetErrorDetail(status).field;
}

}  // namespace bv::webhook
