// The life of orders with the real database; inventory and payment are stand-ins. Each test is a tenant of
// its own.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/auth/service_tokens.h"
#include "libs/policy/test_policy.h"
#include "libs/testing/testing.h"
#include "services/order/processes/processes.h"
#include "services/order/processes/recoverer.h"
#include "services/order/rpc/lifecycle_rpc.h"
#include "services/order/store/create_batch.h"
#include "services/order/tests/stand_ins.h"

namespace bv::order {

class LifecycleTest : public ::testing::Test {
 protected:
  using Answer = absl::StatusOr<pb::Order>;

  static void SetUpTestSuite();
  static void TearDownTestSuite();
  LifecycleTest();
  ~LifecycleTest() override;

  // Another process of the service: what the one before was doing is left as it was.
  void Restart();
  // Takes up what is left until nothing is; as the recoverer does, without its pauses.
  void Recover();

  // A stored order of two mugs (the shop's) and a tent (vendor V1), 129.50 USD, its stock held.
  OrderId Place(PaymentMethod method = PaymentMethod::kCard, const std::string& user = "user-1");
  // A CARD order that is PAID.
  OrderId Paid();
  Order Stored(const OrderId& id);
  // "PENDING PENDING UNFULFILLED".
  std::string StatesOf(const OrderId& id);
  std::string StockOf(const OrderId& id) { return stock.StatusOf(id.str()); }
  // "PENDING CREATED user-1, PAID PAID user-1": status, reason and actor of each line.
  std::string HistoryOf(const OrderId& id);
  // The types of its events after the creation, without "ecommerce.order.order." and ".v1".
  std::string EventsOf(const OrderId& id);
  std::string Processes() { return Query("SELECT count(*) FROM orders.order_process WHERE tenant_id = $T"); }
  // One value as the superuser, who sees all tenants; $T is this test's tenant, quoted.
  std::string Query(const std::string& sql) const;
  static testing::Database& database() { return *database_; }
  TenantId tenant() const { return TenantId::Trusted(tenant_); }

  RequestContext Customer(const std::string& user = "user-1", const std::string& key = "") const;
  RequestContext Staff(const std::string& key = "") const;

  std::future<Answer> StartPay(const OrderId& id, std::optional<RequestContext> context = {});
  Answer Pay(const OrderId& id, std::optional<RequestContext> context = {}) {
    return StartPay(id, context).get();
  }
  std::future<Answer> StartConfirm(const OrderId& id, std::int64_t amount = 12950,
                                   std::optional<RequestContext> context = {});
  Answer Confirm(const OrderId& id, std::int64_t amount = 12950, std::optional<RequestContext> context = {}) {
    return StartConfirm(id, amount, context).get();
  }
  std::future<Answer> StartCancel(const OrderId& id, std::optional<RequestContext> context = {},
                                  const std::string& reason = "");
  Answer Cancel(const OrderId& id, std::optional<RequestContext> context = {},
                const std::string& reason = "") {
    return StartCancel(id, context, reason).get();
  }
  std::future<Answer> StartFulfill(const OrderId& id, const std::vector<pb::NewShipment>& shipments = {},
                                   std::optional<RequestContext> context = {});
  Answer Fulfill(const OrderId& id, const std::vector<pb::NewShipment>& shipments = {},
                 std::optional<RequestContext> context = {}) {
    return StartFulfill(id, shipments, context).get();
  }
  Answer Deliver(const OrderId& id, const std::string& shipment);
  absl::StatusOr<pb::ListOrderHistoryResponse> History(const OrderId& id, RequestContext context);
  absl::StatusOr<pb::FindReservationsResponse> Find(const std::vector<std::string>& reservations);
  // Begins it as a process would that dies before the first step.
  Process BeginOnly(ProcessKind kind, const OrderId& id, const std::string& reason = "");
  std::future<absl::StatusOr<Changed>> StartSubmit(Change change, std::optional<RequestContext> context = {},
                                                   ChangeLanes* lanes = nullptr);
  absl::StatusOr<Changed> Submit(Change change, std::optional<RequestContext> context = {}) {
    return StartSubmit(std::move(change), std::move(context)).get();
  }

  template <class Request, class Response>
  using Handler = rpc::Reply<Response> (LifecycleRpc::*)(rpc::Call<Request>);
  // Whether the last answer was marked as a repeat.
  bool replayed() const { return replayed_; }

  testing::JwksFile keys_;
  testing::Loop loop_;
  StockRoom stock;
  Bank bank;
  policy::TestPolicy policy;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::optional<postgres::Pool> pool_;
  std::unique_ptr<auth::ServiceTokens> tokens_;
  std::optional<InventoryClient> inventory_;
  std::optional<PaymentsClient> payments_;
  std::optional<OrderLanes> orders_;
  std::optional<ChangeLanes> changes_;
  std::optional<Steps> steps_;
  std::optional<order::Processes> processes_;
  std::optional<LifecycleRpc> rpc_;

 private:
  template <class Request, class Response>
  static rpc::Reply<Response> Invoke(LifecycleRpc& service, Handler<Request, Response> handler,
                                     rpc::Call<Request> call) {
    return (service.*handler)(call);
  }
  template <class Request, class Response>
  static rpc::Reply<Response> Handle(LifecycleRpc& service, Handler<Request, Response> handler,
                                     Request request, RequestContext context, bool& replayed) {
    bool repeat = false;
    const rpc::Call<Request> call(request, context, &repeat);
    absl::StatusOr<Response> response = co_await Invoke(service, handler, call);
    replayed = repeat;
    co_return response;
  }
  template <class Request, class Response>
  std::future<absl::StatusOr<Response>> Start(Handler<Request, Response> handler, Request request,
                                              RequestContext context) {
    return boost::asio::co_spawn(loop_.io(),
                                 Handle(*rpc_, handler, std::move(request), std::move(context), replayed_),
                                 boost::asio::use_future);
  }
  static std::unique_ptr<testing::Database> database_;
  std::string tenant_;
  bool replayed_ = false;
};

}  // namespace bv::order
