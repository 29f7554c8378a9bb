// The way of an order with the real database; the peers answer by their contracts.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libs/testing/testing.h"
#include "services/order/rpc/checkout.h"
#include "services/order/rpc/order_rpc.h"

namespace bv::order {

// A mug for 25.00 and a tent for 79.50.
class Catalogue final : public commerce::product::v1::Products::Service {
 public:
  // The time whose prices were asked for last.
  std::int64_t asked_nanos() const { return asked_nanos_; }

 private:
  grpc::Status ResolveVariants(grpc::ServerContext*,
                               const commerce::product::v1::ResolveVariantsRequest* request,
                               commerce::product::v1::ResolveVariantsResponse* response) override;
  std::atomic<std::int64_t> asked_nanos_{0};
};

class Warehouse final : public commerce::inventory::v1::Inventory::Service {
 public:
  std::vector<std::string> held();
  // All that is held has expired.
  void Expire();
  // From now on holds are found that are so old.
  void Age(absl::Duration age) { age_ = age; }
  // From now on nothing more of this line is there.
  void SellOut(int line) { sold_out_line_ = line; }
  // Each of the next calls that ask for stock waits for one of these, the first for the last.
  void WaitFor(std::vector<std::function<void()>> others);

 private:
  grpc::Status ReserveStock(grpc::ServerContext*, const commerce::inventory::v1::ReserveRequest* request,
                            commerce::inventory::v1::ReserveResponse* response) override;
  grpc::Status ReleaseStock(grpc::ServerContext*, const commerce::inventory::v1::ReleaseRequest* request,
                            commerce::inventory::v1::ReleaseResponse*) override;
  std::function<void()> NextOther();

  std::mutex mutex_;
  std::vector<std::function<void()>> others_;
  std::set<std::string> held_;
  std::set<std::string> ended_;
  absl::Duration age_;
  std::atomic<int> sold_out_line_{-1};
};

// A cart with two mugs; any other is empty.
class CartStore final : public commerce::cart::v1::Carts::Service {
  grpc::Status GetCart(grpc::ServerContext*, const commerce::cart::v1::GetCartRequest* request,
                       commerce::cart::v1::Cart* response) override;
};

class CheckoutTest : public ::testing::Test {
 protected:
  CheckoutTest();
  ~CheckoutTest() override;

  // Orders are stored by this from now on.
  void StoreWith(OrderLanes::Execute execute);

  static pb::CreateOrderRequest RequestOf(const std::vector<std::pair<std::string, int>>& items);
  static RequestContext WithKey(const std::string& key);

  template <class Request, class Response>
  using Handler = rpc::Reply<Response> (OrderRpc::*)(rpc::Call<Request>);
  // Called through a pointer inside a coroutine, GCC 12 would read `this` of the member function
  // uninitialised.
  template <class Request, class Response>
  static rpc::Reply<Response> Invoke(OrderRpc& service, Handler<Request, Response> handler,
                                     rpc::Call<Request> call) {
    return (service.*handler)(call);
  }
  template <class Request, class Response>
  static rpc::Reply<Response> Handle(OrderRpc& service, Handler<Request, Response> handler, Request request,
                                     RequestContext context) {
    const rpc::Call<Request> call(request, context);
    co_return co_await Invoke(service, handler, call);
  }
  template <class Request, class Response>
  std::future<absl::StatusOr<Response>> Start(Handler<Request, Response> handler, Request request,
                                              RequestContext context) {
    return boost::asio::co_spawn(loop_.io(), Handle(*rpc_, handler, std::move(request), std::move(context)),
                                 boost::asio::use_future);
  }
  absl::StatusOr<pb::Order> Create(pb::CreateOrderRequest request,
                                   RequestContext context = testing::ContextOf("acme")) {
    return Start(&OrderRpc::CreateOrder, std::move(request), std::move(context)).get();
  }
  absl::StatusOr<pb::ListOrdersResponse> List(int page_size, const std::string& page_token,
                                              RequestContext context = testing::ContextOf("acme"),
                                              const std::string& user = "", const std::string& store = "");
  std::string Orders() const { return database_.Query("SELECT count(*) FROM orders.orders"); }

  testing::Database database_{"order"};
  testing::Loop loop_;
  Catalogue catalogue_;
  Warehouse warehouse_;
  CartStore cart_store_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Peers> peers_;
  std::optional<postgres::Pool> pool_;
  std::optional<LookUpLanes> look_ups_;
  std::optional<OrderLanes> lanes_;
  PriceCache prices_{PriceCacheSettings{}, [] { return true; }};
  std::optional<Checkout> checkout_;
  std::optional<OrderRpc> rpc_;
};

}  // namespace bv::order
