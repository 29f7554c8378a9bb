// The way from a draft to a stored order: idempotency, prices, stock, rows.
#pragma once

#include <string>

#include "commerce/cart/v1/service.grpc.pb.h"
#include "commerce/inventory/v1/service.grpc.pb.h"
#include "commerce/product/v1/service.grpc.pb.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "services/order/store/create_batch.h"

namespace bv::order {

// The services that checkout calls.
struct Peers {
  rpc::Client<commerce::product::v1::Products> products;
  rpc::Client<commerce::inventory::v1::Inventory> inventory;
  rpc::Client<commerce::cart::v1::Carts> carts;
};

// Where the items come from when the request names a cart.
struct CartRef {
  std::string cart_id;
  std::string session_id;
};

class Checkout {
 public:
  Checkout(Peers& peers, postgres::Pool& pool, OrderLanes& lanes);

  // `request` is the whole request, serialised, to compare repeats with. A failure after the stock was
  // reserved gives it back, unless the order may have been stored.
  async::Task<absl::StatusOr<Order>> Create(Draft draft, CartRef cart, std::string request,
                                            const RequestContext& context);

 private:
  // The order that the key led to before, if it did.
  async::Task<absl::StatusOr<std::optional<Order>>> FindRepeated(const std::string& key_hash,
                                                                 const std::string& request_hash,
                                                                 const RequestContext& context);
  async::Task<absl::Status> TakeCartItems(const CartRef& cart, Draft& draft, const RequestContext& context);
  async::Task<absl::StatusOr<Order>> Price(const Draft& draft, const RequestContext& context);
  async::Task<absl::Status> ReserveStock(const Order& order, const Draft& draft,
                                         const RequestContext& context);
  async::Task<absl::StatusOr<Order>> Store(Order order, const std::string& key_hash,
                                           const std::string& request_hash, const RequestContext& context);
  async::Task<void> ReleaseStock(OrderId order, RequestContext context);
  async::Task<absl::StatusOr<Order>> Read(OrderId id, const RequestContext& context);

  Peers& peers_;
  postgres::Pool& pool_;
  OrderLanes& lanes_;
  prometheus::Counter& created_;
  prometheus::Histogram& latency_;
};

}  // namespace bv::order
